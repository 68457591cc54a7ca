from django.urls import path

from markethall.interfaces.web import files, health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("files/<str:token>", files.serve, name="file"),
]
