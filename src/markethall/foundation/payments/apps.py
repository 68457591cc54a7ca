from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "markethall.foundation.payments"
    label = "payments"
