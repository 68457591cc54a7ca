from django.urls import path

from markethall.interfaces.web.plushify import account, create, ledger, pictures, shop

app_name = "plushify"
urlpatterns = [
    path("plushify", shop.home, name="home"),
    path("plushify/pricing", shop.pricing, name="pricing"),
    path("plushify/pricing/buy", shop.buy, name="buy"),
    path("plushify/create", create.wizard, name="create"),
    path("plushify/create/photo", create.photo, name="create_photo"),
    path("plushify/create/make", create.make, name="create_make"),
    path("plushify/gallery", pictures.index, name="gallery"),
    path("plushify/balance", pictures.balance, name="balance"),
    path("plushify/generations/<uuid:generation_id>", pictures.detail, name="picture"),
    path("plushify/generations/<uuid:generation_id>/view", pictures.view),
    path("plushify/generations/<uuid:generation_id>/status", pictures.status),
    path("plushify/generations/<uuid:generation_id>/favorite", pictures.favorite),
    path("plushify/generations/<uuid:generation_id>/download", pictures.download),
    path("plushify/generations/<uuid:generation_id>/delete", pictures.delete),
    path("plushify/generations/<uuid:generation_id>/cancel", pictures.cancel),
    path("plushify/history", ledger.credits_page, name="history"),
    path("plushify/history/purchases", ledger.purchases_page, name="purchases"),
    path("plushify/settings", account.settings_page, name="settings"),
    path("plushify/account", account.account, name="account"),
    path("plushify/account/name", account.change_name, name="account_name"),
    path("plushify/account/keys", account.make_key, name="account_make_key"),
    path("plushify/account/keys/<uuid:key_id>", account.revoke_key, name="account_revoke_key"),
    path("plushify/account/export", account.export, name="account_export"),
    path("plushify/account/delete", account.delete, name="account_delete"),
]
