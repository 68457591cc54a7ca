from django.urls import path

from markethall.interfaces.web.elysium import (
    account,
    bag,
    bespoke,
    checkout,
    listing,
    pieces,
    sitemap,
    window,
)

app_name = "elysium"
urlpatterns = [
    path("sitemap.xml", sitemap.sitemap),
    path("elysium", window.home, name="home"),
    path("elysium/collections", window.collections, name="collections"),
    path("elysium/collections/<slug:slug>", listing.collection, name="collection"),
    path("elysium/shop", listing.everything, name="shop"),
    path("elysium/shop/<path:path>", listing.category, name="category"),
    path("elysium/search", listing.search, name="search"),
    path("elysium/pieces/<slug:slug>", pieces.piece, name="piece"),
    path("elysium/pieces/<slug:slug>/configure", pieces.configure),
    path("elysium/bag", bag.bag, name="bag"),
    path("elysium/bag/lines", bag.add),
    path("elysium/bag/lines/<uuid:line_id>", bag.change),
    path("elysium/bag/lines/<uuid:line_id>/remove", bag.remove),
    path("elysium/bag/voucher", bag.voucher),
    path("elysium/checkout", checkout.checkout, name="checkout"),
    path("elysium/checkout/quote", checkout.requote),
    path("elysium/bespoke", bespoke.wish, name="bespoke"),
    path("elysium/bespoke/thanks", bespoke.thanks),
    path("elysium/account", account.profile, name="account"),
    path("elysium/account/orders", account.orders, name="orders"),
    path("elysium/account/addresses", account.addresses, name="addresses"),
    path("elysium/account/addresses/new", account.address),
    path("elysium/account/addresses/<uuid:address_id>", account.address),
    path("elysium/account/addresses/<uuid:address_id>/forget", account.forget_address),
    path("elysium/size-guide", window.size_guide, name="size_guide"),
    path("elysium/delivery", window.delivery, name="delivery"),
]
