from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "markethall.foundation.reconciliation"
    label = "reconciliation"
