"""Where each area lies under ``/api/``."""

from markethall.interfaces.api import auth, credits
from markethall.interfaces.api.core import api

api.add_router("/auth", auth.routes)
api.add_router("/credits", credits.routes)
