from django.urls import include, path

import markethall.interfaces.api.urls  # noqa: F401
from markethall.interfaces.api.core import api

urlpatterns = [
    path("api/", api.urls),
    path("", include("markethall.interfaces.web.urls")),
]

handler400 = "markethall.interfaces.web.errors.bad_request"
handler404 = "markethall.interfaces.web.errors.not_found"
handler500 = "markethall.interfaces.web.errors.server_error"
