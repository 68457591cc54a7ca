"""The console: who may see what, what staff does, and what is written down of it."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from house.jobs import run_jobs
from house.parallel import together
from house.people import make_user, page_client
from house.till import buy
from markethall.content.imaging.models import Generation
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import GRANTS, Permission, Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.files.actions import store_file
from markethall.foundation.ledger.actions import open_hold
from markethall.foundation.ledger.models import BookCheck
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.models import InboxEvent
from markethall.foundation.platform.queries import fresh_settings
from markethall.interfaces.web.console import urls
from markethall.kernel import clock, job_log
from markethall.kernel.jobs import enqueue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("till")]

# Each list page and the permission that opens it.
PAGES = {
    "/console": Permission.CONSOLE,
    "/console/todo": Permission.CONSOLE,
    "/console/figures": Permission.CONSOLE,
    "/console/search": Permission.CONSOLE,
    "/console/books": Permission.PAYMENTS_READ,
    "/console/users": Permission.USERS_READ,
    "/console/orders": Permission.ORDERS_READ,
    "/console/pictures": Permission.IMAGES_READ,
    "/console/pictures/figures": Permission.IMAGES_READ,
    "/console/sales": Permission.PAYMENTS_READ,
    "/console/payments": Permission.PAYMENTS_READ,
    "/console/refunds": Permission.PAYMENTS_READ,
    "/console/chargebacks": Permission.PAYMENTS_READ,
    "/console/ledger": Permission.PAYMENTS_READ,
    "/console/ledger/totals": Permission.PAYMENTS_READ,
    "/console/ledger/accounts": Permission.PAYMENTS_READ,
    "/console/inbox": Permission.WEBHOOKS_READ,
    "/console/jobs": Permission.JOBS_READ,
    "/console/jobs/machinery": Permission.JOBS_READ,
    "/console/storage": Permission.JOBS_READ,
    "/console/mails": Permission.MAIL_READ,
    "/console/mails/suppressed": Permission.MAIL_READ,
    "/console/mails/templates": Permission.MAIL_READ,
    "/console/mails/templates/welcome": Permission.MAIL_READ,
    "/console/mails/templates/welcome/preview": Permission.MAIL_READ,
    "/console/products": Permission.CATALOG_WRITE,
    "/console/reviews": Permission.CATALOG_WRITE,
    "/console/stock": Permission.STOCK_READ,
    "/console/vouchers": Permission.VOUCHERS_WRITE,
    "/console/vouchers/new": Permission.VOUCHERS_WRITE,
    "/console/vouchers/many": Permission.VOUCHERS_WRITE,
    "/console/shipping": Permission.SHIPPING_WRITE,
    "/console/shipping/new": Permission.SHIPPING_WRITE,
    "/console/taxes": Permission.SHIPPING_WRITE,
    "/console/taxes/new": Permission.SHIPPING_WRITE,
    "/console/audit": Permission.AUDIT_READ,
    "/console/settings": Permission.SETTINGS_READ,
}


def test_every_view_names_its_permission() -> None:
    nameless = [str(p.pattern) for p in urls.urlpatterns if not hasattr(p.callback, "permission")]
    assert nameless == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_the_pages_it_was_given_and_no_other(role: Role) -> None:
    browser = page_client(make_user(role=role))
    is_staff = Permission.CONSOLE in GRANTS[role]
    expected = {
        page: 200 if permission in GRANTS[role] else 403 if is_staff else 404
        for page, permission in PAGES.items()
    }
    assert {page: browser.get(page).status_code for page in PAGES} == expected


def test_the_signed_out_are_sent_to_sign_in_and_back(client: Client) -> None:
    for page in PAGES:
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login?next=%2Fconsole")


HTMX = {"HX-Request": "true", "HX-Target": "panel-body"}


@pytest.fixture
def admin() -> User:
    return make_user(role=Role.ADMIN, email="root@example.com")


@pytest.fixture
def desk(admin: User) -> Client:
    return page_client(admin)


def acts(action: str, subject: object) -> list[dict[str, Any]]:
    """What the audit log says was done to a subject."""
    rows = AuditEntry.objects.filter(action=action, subject_id=str(subject)).order_by("pk")
    return [{"actor": row.actor_id, **row.data} for row in rows]


def test_a_person_is_found_by_part_of_the_address(desk: Client) -> None:
    ada = make_user(email="ada.lovelace@example.com")
    make_user(email="grace@example.com")
    for page in ("/console/users?q=LOVEL", "/console/search?q=lovel"):
        html = desk.get(page).content.decode()
        assert f"/console/users/{ada.pk}" in html
        assert "grace@example.com" not in html


def test_an_id_in_the_search_field_opens_what_it_names(desk: Client) -> None:
    ada = make_user()
    answer = desk.get("/console/search", {"q": str(ada.pk)})
    assert answer.headers["Location"] == f"/console/users/{ada.pk}"


def test_a_row_opens_as_a_fragment_and_as_a_page(desk: Client) -> None:
    ada = make_user()
    page = desk.get(f"/console/users/{ada.pk}").content
    fragment = desk.get(f"/console/users/{ada.pk}", headers=HTMX).content
    assert b"<html" in page
    assert b"<h1>" in page
    assert b"<html" not in fragment
    assert b"<h2" in fragment


def test_credits_are_corrected_below_zero_with_a_reason_on_record(
    desk: Client, admin: User
) -> None:
    ada = make_user(credits=10)
    form = {"direction": "remove", "amount": "12", "reason": "Double purchase", "key": "a"}
    answer = desk.post(f"/console/users/{ada.pk}/credits", form, headers=HTMX)
    assert answer.status_code == 200
    assert "changed" in answer.headers["HX-Trigger"]
    assert "12 credits removed" in answer.headers["HX-Trigger"]
    assert b"Double purchase" in answer.content
    assert balance_of(ada.pk).balance == -2
    (act,) = acts("credits.correct", ada.pk)
    assert (act["actor"], act["amount"], act["reason"]) == (admin.pk, -12, "Double purchase")


def test_a_double_click_books_once_even_at_once(admin: User) -> None:
    ada = make_user(credits=10)
    form = {"direction": "add", "amount": "5", "reason": "Goodwill", "key": "same"}

    def click() -> int:
        return page_client(admin).post(f"/console/users/{ada.pk}/credits", form).status_code

    assert together([click] * 4) == [302] * 4
    assert balance_of(ada.pk).balance == 15
    assert len(acts("credits.correct", ada.pk)) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"amount": "0"}, {"amount": "x"}, {"direction": "up"}, {"amount": "9" * 20}],
)
def test_a_correction_that_makes_no_sense_is_refused(desk: Client, wrong: dict[str, str]) -> None:
    ada = make_user(credits=10)
    form = {"direction": "add", "amount": "5", "reason": "Goodwill", **wrong}
    assert desk.post(f"/console/users/{ada.pk}/credits", form).status_code == 422
    assert balance_of(ada.pk).balance == 10


def test_suspending_ends_sessions_and_reactivating_lets_in_again(desk: Client) -> None:
    ada = make_user(role=Role.LOGISTICS)
    browser = page_client(ada)
    assert browser.get("/console").status_code == 200
    desk.post(f"/console/users/{ada.pk}/suspend")
    assert browser.get("/console").status_code == 302
    desk.post(f"/console/users/{ada.pk}/reactivate")
    ada.refresh_from_db()
    assert ada.is_active
    assert len(acts("user.block", ada.pk)) == len(acts("user.unblock", ada.pk)) == 1


def test_a_role_is_changed_by_a_super_admin_only(desk: Client) -> None:
    ada = make_user()
    place = f"/console/users/{ada.pk}/role"
    assert desk.post(place, {"role": "finance"}).status_code == 403
    chief = page_client(make_user(role=Role.SUPER_ADMIN))
    assert chief.post(place, {"role": "finance"}).status_code == 302
    assert chief.post(place, {"role": "emperor"}).status_code == 422
    ada.refresh_from_db()
    assert ada.role == Role.FINANCE


def test_erasing_needs_the_address_typed(desk: Client) -> None:
    ada = make_user(email="ada@example.com")
    place = f"/console/users/{ada.pk}/erase"
    assert desk.post(place, {"email": "eda@example.com"}).status_code == 422
    assert User.objects.get(pk=ada.pk).erased_at is None
    assert desk.post(place, {"email": "ADA@example.com "}, headers=HTMX).status_code == 200
    gone = User.objects.get(pk=ada.pk)
    assert gone.erased_at is not None
    assert "ada@" not in gone.email
    assert desk.get("/console/users?state=erased").status_code == 200


def test_mails_go_to_the_person_and_on_record(desk: Client, admin: User) -> None:
    ada = make_user(verified=False)
    desk.post(f"/console/users/{ada.pk}/password-reset")
    desk.post(f"/console/users/{ada.pk}/verification")
    assert set(Mail.objects.filter(to=ada.email).values_list("template", flat=True)) == {
        "reset_password",
        "verify_email",
    }
    assert acts("user.send_reset", ada.pk) == [{"actor": admin.pk}]
    assert acts("user.send_verification", ada.pk) == [{"actor": admin.pk}]


def test_a_mail_is_shown_in_a_sandbox_and_sent_again(desk: Client, admin: User) -> None:
    mail = Mail.objects.create(
        to="ada@example.com",
        template="welcome",
        subject="Hello",
        text="Hello",
        html="<script>alert(1)</script><p style='color:red'>Hello",
        status="failed",
        attempts=8,
        error="550 no such mailbox",
        created_at=clock.now(),
    )
    preview = desk.get(f"/console/mails/{mail.pk}/preview")
    policy = preview.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert preview.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert b"550 no such mailbox" in desk.get(f"/console/mails/{mail.pk}").content
    for _ in range(2):
        desk.post(f"/console/mails/{mail.pk}/resend")
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("queued", 0)
    assert len(acts("mail.resend", mail.pk)) == 1


def make_events(status: str, number: int) -> list[InboxEvent]:
    now = clock.now()
    return [
        InboxEvent.objects.create(
            provider="sandbox",
            event_id=f"{status}-{place}",
            type="payment.succeeded",
            payload={"order": "<b>7K3Q</b>"},
            status=status,
            attempts=8,
            outcome="The gateway does not answer",
            received_at=now,
            due_at=now,
        )
        for place in range(number)
    ]


def test_a_parked_event_says_what_to_do_and_is_replayed(desk: Client) -> None:
    (event,) = make_events("parked", 1)
    html = desk.get(f"/console/inbox/{event.pk}").content
    assert b"It contradicts what is on record" in html
    assert b"&lt;b&gt;7K3Q" in html
    desk.post(f"/console/inbox/{event.pk}/replay")
    event.refresh_from_db()
    assert (event.status, event.attempts) == ("received", 0)
    assert len(acts("webhooks.replay", event.pk)) == 1


def test_all_dead_events_are_replayed_and_parked_ones_left(desk: Client) -> None:
    make_events("dead", 3)
    make_events("parked", 2)
    desk.post("/console/inbox/replay-dead")
    states = InboxEvent.objects.values_list("status", flat=True)
    assert sorted(states) == ["parked", "parked", "received", "received", "received"]
    assert AuditEntry.objects.filter(action="webhooks.replay").count() == 3


def test_finance_reads_the_inbox_and_may_not_replay() -> None:
    (event,) = make_events("dead", 1)
    finance = page_client(make_user(role=Role.FINANCE))
    assert b"Replay" not in finance.get(f"/console/inbox/{event.pk}").content
    assert finance.post(f"/console/inbox/{event.pk}/replay").status_code == 403
    assert finance.post("/console/inbox/replay-dead").status_code == 403


def test_a_waiting_job_is_cancelled_once(desk: Client, admin: User) -> None:
    enqueue("deliver_mail", mail_id=str(uuid.uuid4()))
    job_id = ProcrastinateJob.objects.latest("id").pk
    place = f"/console/jobs/{job_id}"
    assert desk.post(f"{place}/cancel").status_code == 302
    assert desk.post(f"{place}/cancel").status_code == 409
    assert desk.post(f"{place}/retry").status_code == 409
    assert b"cancelled" in desk.get(place).content
    assert acts("jobs.cancel", job_id) == [{"actor": admin.pk}]
    assert desk.get("/console/jobs/999999999").status_code == 404


def test_a_failed_job_runs_again(desk: Client, admin: User) -> None:
    enqueue("deliver_mail", mail_id=str(uuid.uuid4()))
    job_id = ProcrastinateJob.objects.latest("id").pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [job_id])
    job_log.keep_error(job_id, ValueError("the mail server hung up"))
    page = desk.get(f"/console/jobs/{job_id}").content
    assert b"ValueError: the mail server hung up" in page
    desk.post(f"/console/jobs/{job_id}/retry")
    assert job_log.job_named(job_id).status == "todo"
    assert acts("jobs.retry", job_id) == [{"actor": admin.pk}]


def test_the_books_are_checked_by_a_job_once_at_a_time(desk: Client) -> None:
    make_user()
    desk.post("/console/books/check")
    desk.post("/console/books/check")
    (check,) = BookCheck.objects.all()
    assert b"0 of" in desk.get("/console/books").content
    run_jobs()
    check.refresh_from_db()
    assert (check.done, check.faults) == (check.total, [])
    assert b"The books are right" in desk.get("/console").content


def test_settings_are_saved_within_their_bounds(desk: Client) -> None:
    form = {"welcome_credits": "12", "generation_cost": "1", "support_email": "a@example.com"}
    assert desk.post("/console/settings", form).status_code == 302
    assert fresh_settings().welcome_credits == 12
    assert desk.post("/console/settings", {**form, "welcome_credits": "-1"}).status_code == 422
    assert fresh_settings().welcome_credits == 12
    assert acts("settings.change", "welcome_credits")[0]["after"] == 12


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "cursor=nonsense",
        "status=%27",
        "since=never&until=1",
        "actor=x&subject=%00@",
        "type=%00&task=%00&to=%00&template=%00&action=%00&reference=%00&search=%00&provider=%00",
    ],
)
def test_no_address_breaks_a_list(desk: Client, query: str) -> None:
    pages = [page for page in PAGES if page.count("/") == 2]
    codes = {page: desk.get(f"{page}?{query}").status_code for page in pages}
    assert {page: code for page, code in codes.items() if code >= 500} == {}


def test_lists_ask_as_often_for_one_row_as_for_thirty(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make_user()
    make_events("dead", 30)
    for page in ("/console/users", "/console/ledger", "/console/inbox", "/console/ledger/accounts"):
        with django_assert_max_num_queries(9):
            assert desk.get(page).status_code == 200


def test_an_order_is_refunded_once_however_often_the_form_is_sent(
    till: None, desk: Client, admin: User
) -> None:
    ada = make_user(credits=0)
    order = buy(ada)
    place = f"/console/orders/{order.pk}"
    terms = desk.get(f"{place}/refund-terms?amount=1.00").content.decode()
    assert "$1.00 of $4.99 goes back. 10 credits are due back, and unspent." in terms
    form = {"amount": "1.00", "reason": "Blurred", "key": "k"}
    for _ in range(2):
        assert desk.post(f"{place}/refund", form, headers=HTMX).status_code == 200
    order.refresh_from_db()
    assert order.refunded == 100
    assert balance_of(ada.pk).balance == 40
    assert [(act["actor"], act["amount"]) for act in acts("payments.refund", order.pk)] == [
        (admin.pk, 100)
    ]
    page = desk.get(place).content.decode()
    assert "10 of 10 credits due taken back" in page
    assert desk.post(f"{place}/refund", {**form, "amount": "9", "key": "l"}).status_code == 422
    assert desk.post(f"{place}/cancel").status_code == 409
    payment = order.payment_id
    for other in (f"/console/payments/{payment}", "/console/payments", "/console/refunds"):
        assert desk.get(other).status_code == 200
    logistics = page_client(make_user(role=Role.LOGISTICS))
    assert logistics.get(place).status_code == 200
    assert logistics.post(f"{place}/refund", form).status_code == 403


def test_a_picture_shows_what_came_in_and_what_came_of_it(desk: Client) -> None:
    ada = make_user()
    upload = store_file(b"photo", purpose="upload", content_type="image/png", owner_id=ada.pk)
    hold = open_hold(user_id=ada.pk, amount=1, key="picture")
    picture = Generation.objects.create(
        user=ada,
        original=upload,
        hold_id=hold,
        style="cute-fluffy",
        size="small",
        provider="local",
        status="failed",
        error_message="The photo is too dark.",
        created_at=clock.now(),
    )
    html = desk.get(f"/console/pictures/{picture.pk}").content.decode()
    assert "The photo is too dark." in html
    (link,) = re.findall(r'src="[^"]*(/files/[^"]+)"', html)
    assert b"".join(desk.get(link).streaming_content) == b"photo"
    assert b"picture failed today" in desk.get("/console").content
