"""Where each area lies under ``/api/``."""

from markethall.interfaces.api import credits
from markethall.interfaces.api.core import api

api.add_router("/credits", credits.routes)
