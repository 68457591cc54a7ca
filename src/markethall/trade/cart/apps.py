from django.apps import AppConfig


class CartConfig(AppConfig):
    name = "markethall.trade.cart"
    label = "cart"
