from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "markethall.foundation.messaging"
    label = "messaging"
