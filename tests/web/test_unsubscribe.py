"""The link at the foot of a mail, and the button that mail programs make of its headers."""

from __future__ import annotations

import pytest
from django.test import Client

from house.people import make_user
from markethall.foundation.accounts.belongings import settings_of
from markethall.foundation.messaging.rules import Kind
from markethall.foundation.messaging.unsubscribing import unsubscribe_link

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "setting"),
    [(Kind.NOTICE, "email_notifications"), (Kind.MARKETING, "marketing_emails")],
)
def test_one_click_ends_one_kind_of_mail(kind: Kind, setting: str) -> None:
    user = make_user()
    link = unsubscribe_link(user.pk, kind)
    path = "/unsubscribe/" + link.rpartition("/")[2]
    client = Client(enforce_csrf_checks=True)
    assert client.post(path, {"again": "1"}).status_code == 200
    assert getattr(settings_of(user.pk), setting) is True
    shown = client.get(path)
    assert shown.status_code == 200 and b"Stop them" in shown.content
    assert getattr(settings_of(user.pk), setting) is True  # opening it changes nothing
    done = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert getattr(settings_of(user.pk), setting) is False


@pytest.mark.parametrize("token", ["x", "a:b:c"])
def test_a_link_that_we_did_not_make_ends_nothing(token: str) -> None:
    user = make_user()
    assert Client().post(f"/unsubscribe/{token}").status_code == 422
    assert settings_of(user.pk).email_notifications


def test_a_link_for_account_mails_does_not_exist() -> None:
    link = unsubscribe_link(make_user().pk, Kind.SECURITY)
    assert Client().post("/unsubscribe/" + link.rpartition("/")[2]).status_code == 422
