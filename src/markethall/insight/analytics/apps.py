from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "markethall.insight.analytics"
    label = "analytics"
