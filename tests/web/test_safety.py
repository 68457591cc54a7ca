"""What an attacker tries on the pages: addresses that break them, mails that tell too much, copies
of personal pages that are kept, and logs that hold secrets."""

from __future__ import annotations

import io
import logging.config
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from house.people import make_user, page_client
from markethall.config.environment import Environment
from markethall.config.log import logging_settings
from markethall.flows.checkout import Wanted, start_checkout
from markethall.foundation.accounts.actions import request_password_reset
from markethall.foundation.messaging.models import Mail
from markethall.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/login?next=//[", "/%00", "/sandbox/pay/%00", "/files/%00", "/plushify/%00?a=%00"]
)
def test_an_address_that_makes_no_sense_breaks_nothing(path: str) -> None:
    assert Client(raise_request_exception=False).get(path).status_code in {200, 404}


def test_a_form_with_a_nul_breaks_nothing_whatever_its_kind() -> None:
    client = Client(raise_request_exception=False)
    for sent in ({"product": "a\x00b"}, {"product": "aurore", "option.metal": "\x00"}):
        assert client.post("/elysium/bag/lines", sent).status_code in {400, 404}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_the_ends_of_the_calendar_are_no_filter(day: str) -> None:
    browser = page_client(make_user(role="admin"))
    for page in ("orders", "audit", "ledger", "payments", "inbox"):
        for end in ("since", "until"):
            assert browser.get(f"/console/{page}?{end}={day}").status_code == 200


def test_the_clock_is_turned_ten_years_at_most(client: Client) -> None:
    try:
        for days in ("9" * 7, "9" * 30, "9" * 7, "9" * 5000):
            assert client.post("/dev/clock", {"days": days}).status_code == 302
        assert clock.offset() <= timedelta(days=3650)
    finally:
        clock.reset()


@pytest.mark.parametrize(
    ("asked", "page"),
    [("/plushify/", "/plushify"), ("/console/users/?q=a%26b", "/console/users?q=a%26b")],
)
def test_a_slash_too_many_leads_to_the_page(client: Client, asked: str, page: str) -> None:
    answer = client.get(asked)
    assert (answer.status_code, answer.headers["Location"]) == (301, page)


@pytest.mark.parametrize("path", ["//evil.example/", "/nowhere/", "//plushify/", "/api/nowhere/"])
def test_a_slash_too_many_leads_nowhere_else(client: Client, path: str) -> None:
    assert client.get("/", PATH_INFO=path).status_code == 404


@pytest.mark.parametrize("page", ["/", "/plushify", "/plushify/pricing", "/api/user/profile"])
def test_a_personal_answer_is_kept_nowhere(page: str) -> None:
    told = page_client(make_user()).get(page).headers["Cache-Control"]
    assert "no-store" in told
    assert "private" in told


@pytest.mark.parametrize("role", ["customer", "logistics", "admin"])
def test_nobody_cancels_an_order_in_the_name_of_its_customer(role: str) -> None:
    ada = make_user()
    order = start_checkout(customer=ada, wanted=[Wanted("credits-50")]).order
    page = f"/orders/{order.pk}/cancel"
    assert page_client(make_user(role=role)).post(page).status_code == 404
    assert page_client(ada).post(page).status_code == 303


def test_who_reads_the_mails_cannot_sign_in_as_their_readers() -> None:
    owner = make_user(role="super_admin")
    request_password_reset(email=owner.email)
    mail = Mail.objects.get(to=owner.email)
    key = mail.text.partition("/reset-password/")[2].split()[0]
    browser = page_client(make_user(role="admin"))
    for page in (f"/console/mails/{mail.pk}", f"/console/mails/{mail.pk}/preview"):
        shown = browser.get(page)
        assert shown.status_code == 200
        assert key not in shown.content.decode()
        assert "/reset-password/…" in shown.content.decode()


def test_a_stranger_writes_nothing_into_the_mails_of_others(client: Client) -> None:
    lure = "You have won, see evil.example"
    sign_up = {"name": lure, "email": "victim@example.com", "password": "a-long-enough-secret"}
    assert client.post("/signup", sign_up).status_code == 302
    client.post("/signup", sign_up)
    client.post("/forgot-password", {"email": "victim@example.com"})
    mails = Mail.objects.filter(to="victim@example.com")
    assert {mail.template for mail in mails} == {"verify_email", "account_exists", "reset_password"}
    for mail in mails:
        assert lure not in mail.subject + mail.text + mail.html


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_failing_request_logs_no_secret(log_format: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*, email: str, password: str) -> None:
        raise RuntimeError("The database went away.")

    monkeypatch.setattr("markethall.foundation.accounts.sign_in.check_credentials", broken)
    monkeypatch.setattr("sys.stderr", written := io.StringIO())
    before = logging.root.handlers[:]
    try:
        logging.config.dictConfig(logging_settings(Environment(log_format=log_format)))
        sent = {"email": "ada@example.com", "password": "never-in-a-log"}
        answer = Client(raise_request_exception=False).post("/login", sent)
    finally:
        logging.root.handlers[:] = before
    assert answer.status_code == 500
    assert "The database went away." in written.getvalue()
    for secret in ("never-in-a-log", "ada@example.com"):
        assert secret not in written.getvalue()


@pytest.mark.parametrize("path", ["/", "/api/payments/plans", "/plushify", "/console"])
def test_a_host_that_is_not_ours_is_a_line_and_no_traceback(
    client: Client, settings: Any, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    answer = client.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")
    assert answer["Content-Type"] == "application/problem+json"
    assert client.get("/healthz", headers={"Host": "shop.example"}).status_code == 200
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("away", [OperationalError, InterfaceError])
def test_without_its_database_the_hall_says_when_to_come_back(
    away: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, email: str, password: str) -> None:
        raise away("the connection is closed")

    monkeypatch.setattr("markethall.foundation.accounts.sign_in.check_credentials", broken)
    client, sent = Client(raise_request_exception=False), {"email": "a@b.cd", "password": "x" * 12}
    page = client.post("/login", sent)
    answer = client.post("/api/auth/login", sent, content_type="application/json")
    assert [(it.status_code, it["Retry-After"]) for it in (page, answer)] == [(503, "5")] * 2
    assert "Nothing was lost" in page.content.decode()
    assert answer.json()["code"] == "unavailable"
