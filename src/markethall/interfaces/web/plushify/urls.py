from django.urls import path

from markethall.interfaces.web.plushify import shop

app_name = "plushify"
urlpatterns = [
    path("plushify", shop.home, name="home"),
    path("plushify/pricing", shop.pricing, name="pricing"),
    path("plushify/pricing/buy", shop.buy, name="buy"),
]
