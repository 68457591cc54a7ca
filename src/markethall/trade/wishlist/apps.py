from django.apps import AppConfig


class WishlistConfig(AppConfig):
    name = "markethall.trade.wishlist"
    label = "wishlist"
