from django.apps import AppConfig


class TaxesConfig(AppConfig):
    name = "markethall.trade.taxes"
    label = "taxes"
