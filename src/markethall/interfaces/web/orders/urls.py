from django.urls import path

from markethall.interfaces.web.orders import pages

urlpatterns = [
    path("<uuid:order_id>", pages.order, name="order"),
    path("<uuid:order_id>/return", pages.order, name="order_return"),
    path("<uuid:order_id>/status", pages.status, name="order_status"),
    path("<uuid:order_id>/pay", pages.pay, name="order_pay"),
    path("<uuid:order_id>/cancel", pages.cancel, name="order_cancel"),
    path("<uuid:order_id>/receipt", pages.receipt, name="order_receipt"),
    path("<uuid:order_id>/credit-notes/<uuid:refund_id>", pages.credit_note),
    path("track/<str:token>", pages.track, name="order_track"),
    path("track/<str:token>/status", pages.track_status),
    path("track/<str:token>/pay", pages.track_pay),
    path("track/<str:token>/cancel", pages.track_cancel),
    path("track/<str:token>/receipt", pages.track_receipt),
    path("track/<str:token>/credit-notes/<uuid:refund_id>", pages.track_credit_note),
]
