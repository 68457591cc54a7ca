from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "markethall.kernel"
    label = "kernel"
