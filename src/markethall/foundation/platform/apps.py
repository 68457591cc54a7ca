from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "markethall.foundation.platform"
    label = "platform"
