from django.urls import path

from markethall.interfaces.web.elysium import window

app_name = "elysium"
urlpatterns = [
    path("elysium", window.home, name="home"),
    path("elysium/size-guide", window.size_guide, name="size_guide"),
    path("elysium/delivery", window.delivery, name="delivery"),
]
