from django.apps import AppConfig


class ImagingConfig(AppConfig):
    name = "markethall.content.imaging"
    label = "imaging"
