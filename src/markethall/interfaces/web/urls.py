from django.conf import settings
from django.urls import include, path

from markethall.interfaces.web import files, health, product_pictures

urlpatterns = [
    path("", include("markethall.interfaces.web.hall.urls")),
    path("", include("markethall.interfaces.web.plushify.urls")),
    path("", include("markethall.interfaces.web.elysium.urls")),
    path("", include("markethall.interfaces.web.accounts.urls")),
    path("console", include("markethall.interfaces.web.console.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("files/<str:token>", files.serve, name="file"),
    path(
        "media/products/<uuid:image_id>/<int:width>.webp",
        product_pictures.picture,
        name="product_picture",
    ),
    path("orders/", include("markethall.interfaces.web.orders.urls")),
    path("bespoke/", include("markethall.interfaces.web.bespoke.urls")),
    path("files/<str:token>/preview", files.preview, name="preview"),
]

if settings.SANDBOX:
    urlpatterns.append(path("dev/", include("markethall.interfaces.web.dev.urls")))
if settings.ENVIRONMENT.payment_gateway == "sandbox":
    urlpatterns.append(path("sandbox/", include("markethall.interfaces.web.sandbox.urls")))
