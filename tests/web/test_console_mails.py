"""The console's pages about mails: every template looked at, and who is not written to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from house.mailing import VendorServer, vendor
from house.people import make_user, page_client
from markethall.flows.mail_samples import faces
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.messaging.models import Mail, Suppression, SuppressionReason
from markethall.foundation.messaging.rules import KINDS, STOPPABLE
from markethall.foundation.messaging.suppressions import suppress

__all__ = ["vendor"]
pytestmark = pytest.mark.django_db
TEMPLATES, SUPPRESSED = "/console/mails/templates", "/console/mails/suppressed"


@pytest.fixture
def desk() -> Client:
    return page_client(make_user(role=Role.ADMIN))


def test_every_template_is_listed_with_what_it_is_about(desk: Client) -> None:
    html = desk.get(TEMPLATES).content.decode()
    assert set(re.findall(rf'href="{TEMPLATES}/(\w+)"', html)) == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_template_is_shown_as_each_storefront_sends_it(desk: Client, name: str) -> None:
    shown = set()
    for face in faces():
        page = desk.get(f"{TEMPLATES}/{name}?storefront={face}")
        assert page.status_code == 200
        html = desk.get(f"{TEMPLATES}/{name}/preview?storefront={face}").content.decode()
        assert "{{" not in html and "{%" not in html and "None" not in html
        assert ("/unsubscribe/" in html) is (KINDS[name] in STOPPABLE)
        shown.add(html)
    assert len(shown) == len(faces())
    assert Mail.objects.count() == 0


def test_the_colours_are_those_asked_for(desk: Client) -> None:
    shown = {
        scheme: desk.get(f"{TEMPLATES}/welcome/preview?colours={scheme}").content.decode()
        for scheme in ("light", "dark")
    }
    assert "prefers-color-scheme" not in "".join(shown.values())
    assert "@media not all" in shown["light"] and "@media all" in shown["dark"]


def test_a_preview_runs_nothing_and_is_framed_by_us_only(desk: Client) -> None:
    answer = desk.get(f"{TEMPLATES}/order_receipt/preview")
    assert "sandbox; default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["nothing", "nothing/preview", "base"])
def test_what_there_is_not_is_not_found(desk: Client, path: str) -> None:
    assert desk.get(f"{TEMPLATES}/{path}").status_code == 404


def test_a_look_that_there_is_not_is_left_out(desk: Client) -> None:
    assert desk.get(f"{TEMPLATES}/welcome?storefront=x&colours=x").status_code == 200


def listed() -> Suppression:
    suppress(send_mail("no_account", to="ada@example.com"), SuppressionReason.BOUNCED)
    return Suppression.objects.get()


def test_who_is_not_written_to_is_found_and_let_go(desk: Client) -> None:
    row = listed()
    assert "ada@example.com" in desk.get(f"{SUPPRESSED}?address=ada").content.decode()
    assert "ada@example.com" not in desk.get(f"{SUPPRESSED}?address=bob").content.decode()
    assert "ada@example.com" not in desk.get(f"{SUPPRESSED}?reason=complained").content.decode()
    answer = desk.post(f"{SUPPRESSED}/{row.pk}/write-again")
    assert answer.headers["Location"] == SUPPRESSED
    assert not Suppression.objects.exists()
    assert AuditEntry.objects.filter(action="mail.unsuppress").count() == 1
    assert desk.post(f"{SUPPRESSED}/{row.pk}/write-again").status_code == 404


@pytest.mark.parametrize("vendor", ["postmark"], indirect=True)
def test_an_address_stays_listed_when_the_vendor_does_not_let_it_go(
    desk: Client, vendor: VendorServer
) -> None:
    row = listed()
    vendor.will(500, {})
    assert desk.post(f"{SUPPRESSED}/{row.pk}/write-again").status_code == 502
    assert Suppression.objects.exists()


def test_only_who_may_send_mails_lets_an_address_go(client: Client) -> None:
    row = listed()
    for role, status in ((Role.FINANCE, 403), (Role.CUSTOMER, 404)):
        browser = page_client(make_user(role=role))
        assert browser.post(f"{SUPPRESSED}/{row.pk}/write-again").status_code == status
    assert Suppression.objects.exists()


def test_a_mail_tells_what_became_of_it(desk: Client, settings: Any) -> None:
    mail = send_mail("no_account", to="ada@example.com")
    Mail.objects.filter(pk=mail.pk).update(
        status="bounced", error="550 5.1.1 unknown", carrier="postmark", message_id="pm-1"
    )
    html = desk.get(f"/console/mails/{mail.pk}").content.decode()
    assert "550 5.1.1 unknown" in html and "pm-1" in html and "What the other side said" in html
