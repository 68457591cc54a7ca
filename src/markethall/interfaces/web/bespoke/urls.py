from django.urls import path

from markethall.interfaces.web.bespoke import pages

urlpatterns = [
    path("link", pages.ask_for_link, name="bespoke_link"),
    path("<str:token>", pages.conversation, name="bespoke_conversation"),
    path("<str:token>/answer", pages.answer, name="bespoke_answer"),
]
