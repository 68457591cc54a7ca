"""Pages and API."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "markethall.config.settings")

import django

django.setup(set_prefix=False)

from markethall.interfaces.server.chains import Chains  # noqa: E402

application = Chains()
