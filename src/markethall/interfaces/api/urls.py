"""Where each area lies under ``/api/``."""

from markethall.interfaces.api import (
    auth,
    auth_methods,
    credits,
    images,
    orders,
    payments,
    user,
    users,
    webhooks,
)
from markethall.interfaces.api.core import api

api.add_router("/auth", auth.routes)
api.add_router("/auth", auth_methods.routes)
api.add_router("/credits", credits.routes)
api.add_router("/payments", payments.routes)
api.add_router("/orders", orders.routes)
api.add_router("/webhooks", webhooks.routes)
api.add_router("/images", images.routes)
api.add_router("/user", user.routes)
api.add_router("/users", users.routes)
