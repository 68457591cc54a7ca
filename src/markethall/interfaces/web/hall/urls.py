from django.conf import settings
from django.urls import path

from markethall.interfaces.web.hall import views

urlpatterns = [
    path("", views.home, name="hall"),
    path("robots.txt", views.robots),
    path("favicon.ico", views.favicon),
]

if settings.SANDBOX:
    urlpatterns.append(path("dev/sign-in", views.sign_in_as, name="demo_sign_in"))
