"""Lists ask the database a fixed number of questions, however many rows they show."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.goods import make_product
from house.people import ApiClient, client_for, make_user, page_client
from house.till import checkout, payment_of
from markethall.content.imaging.models import Generation
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.actions import record
from markethall.foundation.files.models import StoredFile
from markethall.foundation.ledger.actions import grant_credits, open_hold
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.payments.models import InboxEvent, Refund
from markethall.foundation.platform.queries import platform_settings
from markethall.kernel import clock
from markethall.kernel.jobs import enqueue
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]

_FEW, _MANY = 2, 12
Add = Callable[[User, ApiClient], object]


def picture(user: User, client: ApiClient) -> None:
    name = uuid.uuid4().hex
    original, result = (
        StoredFile.objects.create(
            owner_id=user.pk,
            purpose=purpose,
            name=f"{name}-{purpose}",
            content_type="image/png",
            size=1,
            sha256="",
            created_at=clock.now(),
        )
        for purpose in ("upload", "result")
    )
    Generation.objects.create(
        user=user,
        original=original,
        result=result,
        hold_id=open_hold(user_id=user.pk, amount=1, key=f"picture:{name}"),
        style="minimalist",
        size="small",
        prompt="A bear",
        status="completed",
        provider="local",
        created_at=clock.now(),
    )


def credit(user: User, client: ApiClient) -> None:
    grant_credits(user_id=user.pk, amount=1, kind="bonus", key=uuid.uuid4().hex)


def order(user: User, client: ApiClient) -> None:
    checkout(client)


def refund(user: User, client: ApiClient) -> None:
    started = checkout(client)
    Refund.objects.create(
        payment_id=started["paymentId"],
        amount=1,
        reason="Sorry",
        actor_id=user.pk,
        created_at=clock.now(),
    )


def job(user: User, client: ApiClient) -> None:
    enqueue("run_generation", generation_id=uuid.uuid4().hex)


def purchase(user: User, client: ApiClient) -> None:
    order = Order.objects.get(pk=checkout(client)["orderId"])
    Order.objects.filter(pk=order.pk).update(
        status="FULFILLED",
        paid_at=clock.now(),
        payment_id=payment_of(order).pk,
    )


def webhook(user: User, client: ApiClient) -> None:
    InboxEvent.objects.create(
        provider="sandbox",
        event_id=uuid.uuid4().hex,
        type="payment.succeeded",
        payload={},
        received_at=clock.now(),
        due_at=clock.now(),
    )


def person(user: User, client: ApiClient) -> None:
    make_user()


def act(user: User, client: ApiClient) -> None:
    record("test.act", actor_id=user.pk, subject_type="user", subject_id=user.pk)


def product(user: User, client: ApiClient) -> None:
    make_product(f"ring-{uuid.uuid4().hex[:8]}")


def category(user: User, client: ApiClient) -> None:
    slug = uuid.uuid4().hex
    save_category(storefront="elysium", draft=CategoryDraft(slug, "Rings"), actor_id=None)


def collection(user: User, client: ApiClient) -> None:
    slug = uuid.uuid4().hex
    save_collection(storefront="elysium", draft=CollectionDraft(slug, "Dawn"), actor_id=None)


def mail(user: User, client: ApiClient) -> None:
    send_mail("welcome", to=user.email, user_id=user.pk, context={"user": user})


@pytest.mark.parametrize(
    ("path", "add", "at_most"),
    [
        ("/api/images", picture, 2),
        ("/api/images?sort=favorites", picture, 2),
        ("/api/images?search=bear&status=completed", picture, 2),
        ("/api/credits/history", credit, 2),
        ("/api/orders", order, 5),
        ("/api/payments/transactions", order, 4),
        ("/api/payments/refunds", refund, 4),
        ("/api/webhooks/events", webhook, 2),
        ("/api/products", product, 5),
        ("/api/products?facets=true&facet=metal:gold", product, 7),
        ("/api/products?status=all", product, 5),
        ("/api/products/search?q=ring", product, 8),
        ("/api/categories", category, 3),
        ("/api/collections", collection, 3),
        ("/api/users", person, 4),
        ("/api/users/{id}/orders", order, 6),
        ("/api/users/{id}/transactions", credit, 3),
        ("/api/audit", act, 3),
        ("/api/dev/outbox", mail, 1),
    ],
)
def test_a_list_asks_as_much_for_many_rows_as_for_few(path: str, add: Add, at_most: int) -> None:
    user = make_user(role=Role.SUPER_ADMIN, credits=100)
    client = client_for(user)
    address = path.format(id=user.pk)
    client.get(address)  # the token's use is recorded with its first one
    asked = []
    for rows in (_FEW, _MANY):
        for _ in range(rows):
            add(user, client)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address)
        assert answer.status_code == 200, answer.content
        shown = len(answer.json()["items"])
        asked.append((shown, len(queries)))
    (few, first), (many, second) = asked
    assert few < many
    assert first == second, [query["sql"] for query in queries]
    assert second <= at_most, [query["sql"] for query in queries]


@pytest.mark.parametrize(
    ("path", "add", "at_most"),
    [
        ("/plushify/gallery", picture, 4),
        ("/plushify/gallery?sort=favorites&status=completed", picture, 4),
        ("/plushify/history", credit, 4),
        ("/plushify/history/purchases", purchase, 5),
        ("/console/users", person, 5),
        ("/console/orders", order, 3),
        ("/console/products", product, 7),
        ("/console/pictures", picture, 3),
        ("/console/payments", order, 5),
        ("/console/refunds", refund, 4),
        ("/console/ledger", credit, 4),
        ("/console/ledger/accounts", person, 4),
        ("/console/inbox", webhook, 4),
        ("/console/jobs", job, 7),
        ("/console/mails", mail, 3),
        ("/console/audit", act, 4),
        ("/console/search?q=customer", person, 5),
        ("/dev/outbox", mail, 1),
    ],
)
def test_a_page_asks_as_much_for_many_rows_as_for_few(path: str, add: Add, at_most: int) -> None:
    user = make_user(role=Role.SUPER_ADMIN, credits=100)
    client, browser = client_for(user), page_client(user)
    asked = []
    for rows in (_FEW, _FEW, _MANY):  # the first time fills what is kept
        for _ in range(rows):
            add(user, client)
        platform_settings()  # kept for some seconds
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(path)
        assert answer.status_code == 200, answer.content
        asked.append((len(answer.content), len(queries)))
    _, (few, first), (many, second) = asked
    assert few < many
    assert first == second, [query["sql"] for query in queries]
    assert second <= at_most, [query["sql"] for query in queries]
