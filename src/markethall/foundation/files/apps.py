from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "markethall.foundation.files"
    label = "files"
