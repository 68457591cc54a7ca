"""Mails by the vendors' APIs: anymail's own backends against a server at this machine, with each
request checked against what the vendor publishes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from house.mailing import VendorServer, check_shape, vendor
from house.people import make_user
from markethall.foundation.messaging import delivery
from markethall.foundation.messaging.actions import resend, send_mail
from markethall.foundation.messaging.errors import CarrierUnwell
from markethall.foundation.messaging.models import Mail, Suppression, SuppressionReason
from markethall.foundation.messaging.rules import MAX_ATTEMPTS
from markethall.foundation.messaging.suppressions import lift, suppress
from markethall.foundation.messaging.vendors import registry
from markethall.kernel import clock

__all__ = ["vendor"]
pytestmark = pytest.mark.django_db
EVERY = pytest.mark.parametrize("vendor", ["resend", "sendgrid", "postmark"], indirect=True)
RESEND = pytest.mark.parametrize("vendor", ["resend"], indirect=True)
SENDGRID = pytest.mark.parametrize("vendor", ["sendgrid"], indirect=True)
POSTMARK = pytest.mark.parametrize("vendor", ["postmark"], indirect=True)
PDF = ("receipt.pdf", b"%PDF-1.7", "application/pdf")


def written(template: str = "no_account", to: str = "ada@example.com", **more: Any) -> Mail:
    return send_mail(template, to=to, **more)


def notice() -> Mail:
    from markethall.content.imaging.models import Generation
    from markethall.flows.brands import brand_of
    from markethall.flows.picture_news import picture_values

    user = make_user(email="ada@example.com")
    values = picture_values(user, Generation(style="cute-fluffy"))
    return written("picture_ready", user_id=user.pk, context=values, brand=brand_of("plushify"))


def sent(mail: Mail, *attachments: tuple[str, bytes, str]) -> Mail:
    delivery.deliver(mail.pk, attachments)
    mail.refresh_from_db()
    return mail


def header(call: Any, name: str) -> str:
    """A header of the mail, in each vendor's own notation."""
    headers = call.body.get("headers") or call.body.get("Headers") or {}
    if isinstance(headers, list):
        headers = {item["Name"]: item["Value"] for item in headers}
    return {key.lower(): value for key, value in headers.items()}.get(name.lower(), "")


@EVERY
def test_a_mail_goes_out_in_the_vendors_shape(vendor: VendorServer) -> None:
    mail = sent(notice(), PDF)
    assert (mail.status, mail.error, mail.carrier) == ("sent", "", vendor.name)
    [call] = vendor.calls
    check_shape(f"{vendor.name}_send", call.body)
    told = str(call.body)
    assert "Plushify" in told and "hello@markethall.test" in told  # the storefront's name
    assert "support@markethall.test" in told and str(mail.pk) in told
    assert header(call, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert header(call, "List-Unsubscribe") == f"<{mail.unsubscribe_url}>"
    assert mail.message_id


@EVERY
def test_a_mail_about_the_account_cannot_be_unsubscribed(vendor: VendorServer) -> None:
    sent(written())
    assert header(vendor.calls[0], "List-Unsubscribe") == ""


@EVERY
@pytest.mark.parametrize("status", [429, 503, 401])
def test_what_may_pass_is_tried_again_later(vendor: VendorServer, status: int) -> None:
    vendor.will(status, {"message": "no"}, Retry_After="120")
    mail = sent(written())
    assert (mail.status, mail.attempts) == ("queued", 1) and str(status) in mail.error
    assert mail.due_at >= clock.now() + timedelta(seconds=119)
    assert sent(mail).status == "sent"
    assert len(vendor.calls) == 2


@EVERY
def test_a_mail_is_given_up_after_the_last_try(vendor: VendorServer) -> None:
    mail = written()
    for _ in range(MAX_ATTEMPTS):
        vendor.will(503, {})
        sent(mail)
    assert (mail.status, mail.attempts) == ("failed", MAX_ATTEMPTS)
    sent(mail)
    assert len(vendor.calls) == MAX_ATTEMPTS
    again = resend(mail.pk, actor_id=make_user().pk)
    assert sent(again).status == "sent"


@EVERY
def test_what_is_wrong_with_the_mail_itself_is_not_tried_again(vendor: VendorServer) -> None:
    vendor.will(422 if vendor.name != "sendgrid" else 400, {"ErrorCode": 300, "Message": "bad"})
    assert sent(written()).status == "failed"


@EVERY
def test_an_answer_that_is_lost_may_be_a_yes(
    vendor: VendorServer, turn_clock: Any, settings: Any
) -> None:
    """Nobody knows whether it went out, so it waits for a webhook before it is tried again."""
    settings.DATA_DIR.mkdir(exist_ok=True)
    vendor.will(0)
    mail = sent(written())
    assert mail.status == "sending"
    assert sent(mail).status == "sending" and len(vendor.calls) == 1
    assert delivery.take_up_forgotten() == 0
    turn_clock(timedelta(minutes=6))
    assert delivery.take_up_forgotten() == 1
    assert sent(mail).status == "sent"
    assert len(vendor.calls) == 2


@RESEND
def test_every_try_bears_the_same_key_and_another_sending_a_new_one(vendor: VendorServer) -> None:
    vendor.will(500, {})
    mail = sent(written())
    Mail.objects.filter(pk=mail.pk).update(status="queued")
    sent(mail)
    sent(resend(mail.pk, actor_id=uuid.uuid4()))
    keys = [call.headers["Idempotency-Key"] for call in vendor.calls]
    assert keys[0] == keys[1] != keys[2]
    assert "idempotency_key" not in vendor.calls[0].body


@RESEND
def test_a_twin_on_its_way_is_waited_for(vendor: VendorServer) -> None:
    vendor.will(409, {"name": "concurrent_idempotent_requests", "message": "wait"})
    assert sent(written()).status == "queued"
    vendor.will(409, {"name": "invalid_idempotent_request", "message": "other body"})
    assert sent(written()).status == "failed"


@POSTMARK
def test_an_address_that_postmark_does_not_write_to_goes_on_the_list(vendor: VendorServer) -> None:
    said = "Found inactive addresses: ada@example.com. Inactive recipients are ones that bounced."
    vendor.will(422, {"ErrorCode": 406, "Message": said})
    assert sent(written()).status == "rejected"
    assert Suppression.objects.get().reason == "bounced"
    assert sent(written()).status == "suppressed"
    assert len(vendor.calls) == 1


@POSTMARK
def test_a_sender_that_is_not_confirmed_is_the_operators_to_mend(vendor: VendorServer) -> None:
    vendor.will(422, {"ErrorCode": 400, "Message": "Sender signature not found"})
    assert sent(written()).status == "queued"


@EVERY
def test_a_listed_address_gets_security_mails_only(vendor: VendorServer) -> None:
    suppress(written(), SuppressionReason.COMPLAINED)
    assert sent(written()).status == "suppressed"
    user = make_user(email="ada@example.com")
    assert sent(written("password_changed", context={"user": user})).status == "sent"


@EVERY
def test_the_probe_asks_without_sending(vendor: VendorServer) -> None:
    vendor.will(200, {"scopes": ["mail.send"], "data": [], "Name": "Hall"})
    assert "knows" in registry.current().probe()
    vendor.will(403, {"message": "no"})
    with pytest.raises(CarrierUnwell, match="403"):
        registry.current().probe()
    assert [call.method for call in vendor.calls] == ["GET", "GET"]


@RESEND
def test_a_key_that_may_only_send_is_well(vendor: VendorServer) -> None:
    vendor.will(401, {"name": "restricted_api_key", "message": "only send"})
    assert "only send" in registry.current().probe()


@EVERY
def test_lifting_asks_the_vendor_first(vendor: VendorServer) -> None:
    mail = written()
    suppress(mail, SuppressionReason.BOUNCED)
    row = Suppression.objects.get()
    if vendor.name != "resend":
        vendor.will(500, {})
        with pytest.raises(CarrierUnwell):
            lift(row.pk, actor_id=make_user().pk)
        assert Suppression.objects.exists()
    vendor.calls.clear()
    for _ in range(4):
        vendor.will(200, {"Suppressions": [{"Status": "Deleted"}]})
    lift(row.pk, actor_id=make_user().pk)
    assert not Suppression.objects.exists()
    assert len(vendor.calls) == {"resend": 0, "sendgrid": 4, "postmark": 1}[vendor.name]
