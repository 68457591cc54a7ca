from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "markethall.trade.inventory"
    label = "inventory"
