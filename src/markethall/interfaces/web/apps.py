from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "markethall.interfaces.web"
    label = "web"
