from django.urls import path

from markethall.interfaces.web.sandbox import pay, portal

urlpatterns = [
    path("pay/<str:ref>", pay.page, name="sandbox_pay"),
    path("pay/<str:ref>/pay", pay.pay),
    path("pay/<str:ref>/dispute", pay.dispute),
    path("portal/<str:ticket>", portal.page),
]
