from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "markethall.trade.catalog"
    label = "catalog"
