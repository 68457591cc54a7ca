from django.urls import include, path

import markethall.interfaces.api.urls  # noqa: F401
from markethall.interfaces.api import reference
from markethall.interfaces.api.core import api
from markethall.interfaces.web import metrics

urlpatterns = [
    path("api/openapi.json", reference.openapi_json),
    path("api/docs", reference.docs),
    path("api/docs/problems", reference.problems),
    path("api/", api.urls),
    path("metrics", metrics.metrics),
    path("", include("markethall.interfaces.web.urls")),
]

handler400 = "markethall.interfaces.web.errors.bad_request"
handler404 = "markethall.interfaces.web.errors.not_found"
handler500 = "markethall.interfaces.web.errors.server_error"
