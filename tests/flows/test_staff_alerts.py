"""Staff hears of what waits in the console: once, soon, and not too often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from house.people import make_user
from markethall.flows.staff_alerts import tell_staff
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments import inbox
from markethall.foundation.payments.inbox import Arrival
from markethall.foundation.payments.models import InboxEvent
from markethall.kernel import throttle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def admin() -> str:
    make_user(role=Role.FINANCE, email="till@example.com")
    return str(make_user(role=Role.ADMIN, email="boss@example.com").email)


def dead_event(number: int) -> None:
    inbox.store([Arrival("sandbox", f"evt-{number}", "payment.succeeded", "{}")])
    InboxEvent.objects.filter(event_id=f"evt-{number}").update(status="dead")


def alerts() -> list[Mail]:
    return list(Mail.objects.filter(template="staff_alert").order_by("id"))


def an_hour_later(turn_clock: Any) -> None:
    turn_clock(timedelta(hours=1))
    throttle.forget("staff.alert")


def test_nothing_to_do_is_no_news() -> None:
    assert tell_staff() == 0 and alerts() == []


def test_who_administers_the_hall_is_told_where_to_look(admin: str) -> None:
    dead_event(1)
    dead_event(2)
    assert tell_staff() == 1
    [mail] = alerts()
    assert mail.to == admin
    assert mail.subject == "The hall needs somebody: 2 webhooks dead in the inbox"
    assert "2 webhooks dead in the inbox: mend the cause" in mail.text
    assert "/console/inbox?status=dead" in mail.text


def test_a_thing_is_told_of_once_and_again_after_a_day(turn_clock: Any) -> None:
    dead_event(1)
    assert tell_staff() == 1
    an_hour_later(turn_clock)
    assert tell_staff() == 0
    dead_event(2)
    assert tell_staff() == 1
    assert "1 webhook dead" in alerts()[-1].text
    turn_clock(timedelta(days=1))
    throttle.forget("staff.alert")
    assert tell_staff() == 1
    assert "2 webhooks dead" in alerts()[-1].text


def test_at_most_one_mail_an_hour() -> None:
    dead_event(1)
    assert tell_staff() == 1
    dead_event(2)
    assert tell_staff() == 0


def test_an_alert_that_cannot_be_sent_makes_no_other(turn_clock: Any) -> None:
    dead_event(1)
    assert tell_staff() == 1
    Mail.objects.update(status="failed")
    an_hour_later(turn_clock)
    assert tell_staff() == 0
    send_mail("no_account", to="ada@example.com")
    Mail.objects.filter(template="no_account").update(status="failed")
    assert tell_staff() == 1
    assert "1 mail not sent" in alerts()[-1].text
