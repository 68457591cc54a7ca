from django.apps import AppConfig


class ShippingConfig(AppConfig):
    name = "markethall.trade.shipping"
    label = "shipping"
