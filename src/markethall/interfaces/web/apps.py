from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "markethall.interfaces.web"
    label = "web"

    def ready(self) -> None:
        from markethall.interfaces.web import visitors

        visitors.listen()
