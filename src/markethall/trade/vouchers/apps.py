from django.apps import AppConfig


class VouchersConfig(AppConfig):
    name = "markethall.trade.vouchers"
    label = "vouchers"
