"""Vendors' webhooks: verified, stored once, settled by a job; the mail's state never goes back."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from svix.webhooks import Webhook

from house.mailing import check_shape, send_by
from house.people import ApiClient, make_user
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.messaging.actions import resend, send_mail
from markethall.foundation.messaging.models import Mail, Suppression
from markethall.foundation.messaging.rules import after
from markethall.foundation.messaging.vendors.base import News
from markethall.foundation.payments import inbox
from markethall.foundation.payments.models import InboxEvent

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two characters").decode()
LOGIN = "hall:a-long-password"
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
NAMES = ["resend", "sendgrid", "postmark"]


@pytest.fixture(autouse=True)
def vendors_known(settings: Any) -> None:
    send_by(
        settings,
        "dummy",
        resend_webhook_secret=SECRET,
        sendgrid_webhook_key=PUBLIC,
        postmark_webhook_secret=LOGIN,
    )


@pytest.fixture
def mail() -> Mail:
    mail = send_mail("no_account", to="ada@example.com")
    Mail.objects.filter(pk=mail.pk).update(status="sent", message_id="m-1")
    return mail


def event(name: str, mail: Mail, what: str, number: int = 1, **more: Any) -> Any:
    """What a vendor sends about ``mail``: ``what`` is one of delivered, deferred, hard, soft,
    complained, opened."""
    known = {"mail_id": str(mail.pk), "round": str(mail.round)}
    return {"resend": _resend, "sendgrid": _sendgrid, "postmark": _postmark}[name](
        what, known, number
    ) | (more if name != "sendgrid" else {})


def _resend(what: str, known: dict[str, str], number: int) -> dict[str, Any]:
    kinds = {"hard": "bounced", "soft": "bounced", "deferred": "delivery_delayed"}
    told = {
        "type": f"email.{kinds.get(what, what)}",
        "created_at": f"2026-11-21T12:00:{number:02}.000Z",
        "data": {
            "email_id": "m-1",
            "created_at": "2026-11-21T11:00:00.000Z",
            "from": "Plushify <hello@markethall.test>",
            "to": ["ada@example.com"],
            "subject": "Hello",
            "headers": [{"name": "X-Metadata", "value": json.dumps(known)}],
        },
    }
    if what in {"hard", "soft"}:
        told["data"]["bounce"] = {  # type: ignore[index]
            "type": "Permanent" if what == "hard" else "Transient",
            "subType": "General",
            "message": "The recipient's email provider sent a hard bounce message.",
            "diagnosticCode": ["smtp; 550 5.1.1"],
        }
    check_shape("resend_event", told)
    return told


def _sendgrid(what: str, known: dict[str, str], number: int) -> dict[str, Any]:
    kinds = {"hard": "bounce", "soft": "bounce", "complained": "spamreport", "opened": "open"}
    told: dict[str, Any] = {
        "email": "ada@example.com",
        "timestamp": 1795262400 + number,
        "event": kinds.get(what, what),
        "sg_event_id": f"sg-{what}-{number}",
        "sg_message_id": "sg.filter",
        "anymail_id": "m-1",
        "ip": "203.0.113.7",
        **known,
    }
    if what in {"hard", "soft"}:
        kind = "bounce" if what == "hard" else "blocked"
        told |= {"type": kind, "reason": "550 5.1.1 <ada@example.com> unknown"}
    return told


def _postmark(what: str, known: dict[str, str], number: int) -> dict[str, Any]:
    told: dict[str, Any] = {"MessageID": "m-1", "Metadata": known, "ServerID": number}
    at = f"2026-11-21T12:00:{number:02}Z"
    if what in {"delivered", "opened"}:
        stamp = "DeliveredAt" if what == "delivered" else "ReceivedAt"
        kind = "Delivery" if what == "delivered" else "Open"
        return told | {"RecordType": kind, "Recipient": "ada@example.com", stamp: at}
    kinds = {"hard": "HardBounce", "soft": "SoftBounce", "deferred": "Transient"}
    complaint = what == "complained"
    return told | {
        "RecordType": "SpamComplaint" if complaint else "Bounce",
        "Type": kinds.get(what, "SpamComplaint"),
        "ID": number,
        "Email": "ada@example.com",
        "BouncedAt": at,
        "Description": "The server was unable to deliver to ada@example.com.",
    }


def signed(name: str, body: str, number: int, **wrong: Any) -> dict[str, str]:
    """The headers that prove who sent ``body``; ``wrong`` replaces what they are made of."""
    at: datetime = wrong.get("at", datetime.now(UTC))
    if name == "resend":
        stamp = Webhook(wrong.get("secret", SECRET)).sign(f"msg_{number}", at, body)
        return {
            "svix-id": f"msg_{number}",
            "svix-timestamp": str(int(at.timestamp())),
            "svix-signature": stamp,
        }
    if name == "sendgrid":
        seconds = str(int(at.timestamp()))
        key = wrong.get("key", KEY)
        signature = key.sign(seconds.encode() + body.encode(), ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": seconds,
        }
    login = base64.b64encode(wrong.get("login", LOGIN).encode()).decode()
    return {"Authorization": f"Basic {login}"}


def post(name: str, told: Any, number: int = 1, altered: str = "", **wrong: Any) -> int:
    body = json.dumps([told] if name == "sendgrid" else told)
    headers = signed(name, body, number, **wrong)
    sent = altered or body
    return int(
        ApiClient().post(f"/api/webhooks/{name}", sent.encode(), headers=headers).status_code
    )


def state(mail: Mail) -> str:
    settle_inbox()
    mail.refresh_from_db()
    return str(mail.status)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("what", "status", "listed"),
    [
        ("delivered", "delivered", False),
        ("deferred", "deferred", False),
        ("hard", "bounced", True),
        ("complained", "complained", True),
        ("opened", "delivered", False),
    ],
)
def test_what_a_vendor_tells_is_in_the_log(
    name: str, what: str, status: str, listed: bool, mail: Mail
) -> None:
    assert post(name, event(name, mail, what)) == 200
    assert state(mail) == status
    assert Suppression.objects.filter(address="ada@example.com").exists() is listed
    assert (mail.opened_at is not None) is (what == "opened")


@pytest.mark.parametrize("name", NAMES)
def test_an_event_without_our_own_metadata_is_known_by_the_vendors_id(
    name: str, mail: Mail
) -> None:
    told = event(name, mail, "hard")
    if name == "resend":
        told["data"]["headers"] = []
    elif name == "sendgrid":
        told = {key: value for key, value in told.items() if key not in {"mail_id", "round"}}
    else:
        told["Metadata"] = {}
    assert post(name, told) == 200
    assert state(mail) == "bounced"
    assert Suppression.objects.filter(address="ada@example.com").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_soft_bounce_leaves_the_address_alone(name: str, mail: Mail) -> None:
    assert post(name, event(name, mail, "soft")) == 200
    assert state(mail) in {"bounced", "deferred"}
    assert not Suppression.objects.exists()


WRONG: dict[str, list[dict[str, Any]]] = {
    "resend": [
        {"secret": "whsec_" + base64.b64encode(b"another secret of this length!").decode()},
        {"at": datetime.now(UTC) - timedelta(minutes=6)},
        {"altered": "{}"},
    ],
    "sendgrid": [
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"at": datetime.now(UTC) - timedelta(hours=26)},
        {"altered": "[]"},
    ],
    "postmark": [{"login": "hall:another-password"}, {"login": ""}],
}


@pytest.mark.parametrize(
    ("name", "wrong"), [(name, wrong) for name in NAMES for wrong in WRONG[name]]
)
def test_what_is_not_signed_as_it_should_be_is_refused(
    name: str, wrong: dict[str, Any], mail: Mail
) -> None:
    assert post(name, event(name, mail, "hard"), **wrong) == 400
    assert not InboxEvent.objects.exists()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", ["[", "null", "7", '{"RecordType": "Inbound"}', '[{"event": 3}]'])
def test_a_signed_body_that_is_no_event_is_refused(name: str, body: str) -> None:
    headers = signed(name, body, 1)
    answer = ApiClient().post(f"/api/webhooks/{name}", body.encode(), headers=headers)
    assert answer.status_code in {200, 400}
    settle_inbox()
    assert not InboxEvent.objects.exclude(status="ignored").exists()


@pytest.mark.parametrize("name", NAMES)
def test_without_a_secret_there_is_no_such_address(name: str, mail: Mail, settings: Any) -> None:
    nothing = dict.fromkeys(
        ("resend_webhook_secret", "sendgrid_webhook_key", "postmark_webhook_secret")
    )
    send_by(settings, "dummy", **nothing)
    assert post(name, event(name, mail, "hard")) == 404


@pytest.mark.parametrize("name", NAMES)
def test_a_repeated_delivery_is_stored_once_and_can_be_replayed(name: str, mail: Mail) -> None:
    told = event(name, mail, "delivered")
    assert [post(name, told), post(name, told)] == [200, 200]
    row = InboxEvent.objects.get()
    assert row.deliveries == 2
    assert state(mail) == "delivered"
    Mail.objects.filter(pk=mail.pk).update(status="sent")
    inbox.replay(row.pk, actor_id=make_user().pk)
    assert state(mail) == "delivered"


@pytest.mark.parametrize("name", NAMES)
def test_the_inbox_keeps_nothing_personal(name: str, mail: Mail) -> None:
    for number, what in enumerate(["delivered", "hard", "opened"], 1):
        assert post(name, event(name, mail, what, number), number) == 200
    kept = json.dumps(list(InboxEvent.objects.values_list("payload", flat=True)))
    assert "ada@" not in kept and "203.0.113.7" not in kept and str(mail.pk) in kept


def test_in_whatever_order_events_come_the_end_is_the_same() -> None:
    told = [News.SENT, News.DEFERRED, News.DELIVERED, News.OPENED, News.BOUNCED, News.COMPLAINED]
    for length in range(1, len(told) + 1):
        for chosen in itertools.combinations(told, length):
            ends = set()
            for order in itertools.permutations(chosen):
                present = _run(after, order)
                ends.add(present)
            assert len(ends) == 1, chosen


def _run(step: Callable[..., Any], order: tuple[News, ...]) -> Any:
    from markethall.foundation.messaging.models import MailStatus

    present = MailStatus.SENT
    for news in order:
        present = step(present, news)
    return present


def test_an_event_of_an_earlier_sending_changes_nothing(mail: Mail) -> None:
    told = event("resend", mail, "hard")
    Mail.objects.filter(pk=mail.pk).update(status="delivered")
    resend(mail.pk, actor_id=make_user().pk)
    assert post("resend", told) == 200
    assert state(mail) == "queued"
    assert not Suppression.objects.exists()


def test_a_webhook_tells_that_a_mail_went_whose_sender_died(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).update(status="sending", message_id="", sent_at=None)
    assert post("sendgrid", event("sendgrid", mail, "processed")) == 200
    assert state(mail) == "sent"
    assert mail.sent_at is not None and mail.message_id == "m-1"
