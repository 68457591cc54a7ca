"""Where each area lies under ``/api/``."""

from django.conf import settings

from markethall.interfaces.api import (
    analytics,
    auth,
    auth_methods,
    bespoke,
    cart,
    categories,
    checkout,
    credits,
    dev,
    image_providers,
    images,
    inventory,
    mismatches,
    orders,
    platform,
    products,
    reviews,
    sales,
    shipments,
    shipping,
    taxes,
    user,
    users,
    vouchers,
    webhooks,
    wishlist,
)
from markethall.interfaces.api.core import api

api.add_router("/auth", auth.routes)
api.add_router("/auth", auth_methods.routes)
api.add_router("/bespoke", bespoke.routes)
api.add_router("/cart", cart.routes)
api.add_router("/checkout", checkout.routes)
api.add_router("/analytics", analytics.routes)
api.add_router("/wishlist", wishlist.routes)
api.add_router("/credits", credits.routes)
api.add_router("/payments", mismatches.routes)
api.add_router("/orders", orders.routes)
api.add_router("/shipments", shipments.routes)
api.add_router("/analytics", sales.routes)
api.add_router("/webhooks", webhooks.routes)
api.add_router("/images", image_providers.routes)
api.add_router("/images", images.routes)
api.add_router("/shipping", shipping.routes)
api.add_router("/taxes", taxes.routes)
api.add_router("/products", products.routes)
api.add_router("/products", reviews.routes)
api.add_router("/categories", categories.categories)
api.add_router("/collections", categories.collections)
api.add_router("/inventory", inventory.routes)
api.add_router("/user", user.routes)
api.add_router("/users", users.routes)
api.add_router("/vouchers", vouchers.routes)
api.add_router("", platform.routes)
if settings.SANDBOX:
    api.add_router("/dev", dev.routes)
