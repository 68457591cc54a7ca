from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "markethall.trade.orders"
    label = "orders"
