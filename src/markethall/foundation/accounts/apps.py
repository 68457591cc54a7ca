from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "markethall.foundation.accounts"
    label = "accounts"
