from django.urls import path

from markethall.interfaces.web.plushify import shop

app_name = "plushify"
urlpatterns = [
    path("", shop.home, name="home"),
    path("/pricing", shop.pricing, name="pricing"),
    path("/pricing/buy", shop.buy, name="buy"),
]
