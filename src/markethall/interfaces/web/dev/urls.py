from django.urls import path

from markethall.interfaces.web.dev import views

urlpatterns = [
    path("outbox", views.outbox_page, name="outbox"),
    path("outbox/<uuid:mail_id>", views.mail_page, name="outbox-mail"),
    path("outbox/<uuid:mail_id>/html", views.mail_body, name="outbox-mail-html"),
    path("clock", views.turn_clock, name="clock"),
]
