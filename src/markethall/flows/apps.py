from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "markethall.flows"
    label = "flows"

    def ready(self) -> None:
        from markethall.flows import reactions
        from markethall.kernel import events

        events.install(reactions.TABLE)
