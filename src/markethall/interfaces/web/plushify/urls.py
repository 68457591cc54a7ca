from django.urls import path

from markethall.interfaces.web.plushify import create, pictures, shop

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
]
