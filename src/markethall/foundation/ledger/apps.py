from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "markethall.foundation.ledger"
    label = "ledger"
