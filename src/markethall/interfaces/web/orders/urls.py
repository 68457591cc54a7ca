from django.urls import path

from markethall.interfaces.web.orders import pages

urlpatterns = [
    path("<uuid:order_id>", pages.order, name="order"),
    path("<uuid:order_id>/return", pages.order, name="order_return"),
    path("<uuid:order_id>/status", pages.status, name="order_status"),
    path("<uuid:order_id>/pay", pages.pay, name="order_pay"),
    path("<uuid:order_id>/cancel", pages.cancel, name="order_cancel"),
    path("<uuid:order_id>/receipt", pages.receipt, name="order_receipt"),
]
