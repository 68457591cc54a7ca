from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "markethall.trade.leads"
    label = "leads"
