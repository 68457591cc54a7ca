from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "markethall.foundation.audit"
    label = "audit"
