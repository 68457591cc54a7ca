"""Rows by the million, and their removal; the books refuse both, so their guards sleep."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.fields import ArrayField

_MANY = 100_000


@contextmanager
def _asleep() -> Iterator[Any]:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def pictures_and_history(user_id: uuid.UUID, *, first: int, last: int) -> None:
    """Give a person pictures ``first`` to ``last``, each with the credit that it cost: one row
    each of generation, hold, transaction and entry."""
    _many(_belongings(user_id), first, last)


def goods(*, first: int, last: int) -> None:
    """Put products ``first`` to ``last`` on ELYSIUM's shelves."""
    _many(_shelves(), first, last)


def orders(user_id: uuid.UUID, *, first: int, last: int) -> None:
    """Give a person orders ``first`` to ``last``, with their lines and payments."""
    _many(_trade(f"'{user_id}'")[:3], first, last)


def _many(tables: Sequence[tuple[Any, dict[str, str]]], first: int, last: int) -> None:
    with _asleep() as cursor:
        for model, columns in tables:
            with _indexed_afterwards(cursor, model._meta.db_table, last - first):
                _fill(cursor, model, columns, first, last)


def everything(user_id: uuid.UUID, *, first: int, last: int) -> None:
    """Fill the other tables that staff look through with rows ``first`` to ``last``: accounts,
    orders, payments, refunds, webhooks, mails, audit entries, files, jobs. Every seventh thing
    is the person's."""
    whose = f"CASE WHEN n %% 7 = 0 THEN '{user_id}'::uuid ELSE {_id('0007')} END"
    _many((*_people(), *_trade(whose), *_log(whose)), first, last)
    with _asleep() as cursor:
        cursor.execute(_JOBS, {"first": first, "last": last})


def gather_statistics() -> None:
    """What autovacuum does in its own time: without it, plans are those of empty tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        vacuum = "" if connection.in_atomic_block else "VACUUM "
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'{vacuum}ANALYZE "{table}"')


def drop_waiting_pictures() -> None:
    """Remove the jobs and pictures that a benchmark asked for, so that nobody paints them."""
    with _asleep() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'run_generation'")
        cursor.execute("DELETE FROM imaging_generation WHERE status = 'pending'")


def drop_waiting_events() -> None:
    """Remove the webhooks that a benchmark sent, and the job that would settle them."""
    with _asleep() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'settle_inbox'")
        cursor.execute("DELETE FROM payments_inboxevent WHERE status = 'received'")


@contextmanager
def _indexed_afterwards(cursor: Any, table: str, count: int) -> Iterator[None]:
    """Without the table's indexes within, but for those of its constraints, when many rows are
    added: an index is built in a fraction of the time in which it grows by a million."""
    if count < _MANY:
        yield
        return
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT EXISTS"
        " (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [f'"{table}"'],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition)


def _fill(cursor: Any, model: Any, columns: dict[str, str], first: int, last: int) -> None:
    """Insert one row of ``model`` for each number ``n``. ``columns`` are SQL expressions of
    ``n``; what they leave out has the model's default, or nothing."""
    names, values = [], []
    for field in model._meta.concrete_fields:
        if field.generated:
            continue
        value = columns.get(field.column)
        if value is None and not field.null and not field.primary_key:
            value = _default(field)
        if value is not None:
            names.append(f'"{field.column}"')
            values.append(value)
    cursor.execute(
        f'INSERT INTO "{model._meta.db_table}" ({", ".join(names)}) SELECT {", ".join(values)}'
        " FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n",
        {"first": first, "last": last},
    )


def _default(field: Any) -> str:
    value = field.get_default()
    if isinstance(field, ArrayField):
        return "'{}'"
    if isinstance(value, dict | list):
        return f"'{json.dumps(value)}'"
    return f"'{'' if value is None else value}'"


def _id(area: str) -> str:
    """An id of row ``n``, increasing with it, of its own in each area."""
    return f"('01900000-{area}-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"


def _one_of(*values: str) -> str:
    """One of ``values``, each a tenth as often as the one before it."""
    cases = (
        f"WHEN n %% {10 ** (len(values) - 1 - place)} = 0 THEN '{value}'"
        for place, value in enumerate(reversed(values[1:]))
    )
    return f"CASE {' '.join(cases)} ELSE '{values[0]}' END"


_AT = "now() - interval '400 days' + n * interval '30 seconds'"


def _belongings(user_id: uuid.UUID) -> tuple[tuple[Any, dict[str, str]], ...]:
    from markethall.content.imaging.models import Generation
    from markethall.foundation.ledger import accounts
    from markethall.foundation.ledger.models import Entry, Hold, Transaction

    user, wallet = f"'{user_id}'", f"'{accounts.wallet(user_id).id}'"
    transaction, hold = _id("0001"), _id("0002")
    picture = {
        "id": _id("0004"),
        "user_id": user,
        "original_id": _id("0005"),
        "result_id": _id("0006"),
        "hold_id": hold,
        "style": "'cute-fluffy'",
        "size": "'medium'",
        "prompt": "'a bear, number ' || n",
        "status": _one_of("completed", "failed"),
        "is_favorite": "n %% 10 = 1",
        "provider": "'local'",
        "processing_ms": "1500",
        "created_at": _AT,
    }
    posting = {
        "id": transaction,
        "key": "'bench:' || n",
        "kind": _one_of("deduction", "admin", "bonus"),
        "reference": "'bench:' || n",
        "actor_id": user,
        "posted_at": _AT,
    }
    held = {
        "id": hold,
        "wallet_id": wallet,
        "opened_by_id": transaction,
        "settled_by_id": _id("0003"),
        "amount": "1",
        "state": "'captured'",
    }
    entry = {
        "transaction_id": transaction,
        "account_id": wallet,
        "amount": "-1",
        "balance_after": "1000000000 - n",
    }
    return (Transaction, posting), (Hold, held), (Entry, entry), (Generation, picture)


def _people() -> tuple[tuple[Any, dict[str, str]], ...]:
    from allauth.account.models import EmailAddress

    from markethall.foundation.accounts.models import User
    from markethall.foundation.ledger.models import Account

    email = "'row-' || n || '@' || md5(n::text) || '.example'"
    person = {
        "id": _id("0007"),
        "email": email,
        "name": "'Row ' || n",
        "role": _one_of("customer", "vendor", "finance", "admin"),
        "is_active": "n %% 500 <> 0",
        "erased_at": f"CASE WHEN n %% 1000 = 1 THEN {_AT} END",
        "created_at": _AT,
    }
    address = {
        "user_id": _id("0007"),
        "email": email,
        "primary": "true",
        "verified": "n %% 300 <> 0",
    }
    account = {
        "id": _id("0008"),
        "code": f"'wallet:' || {_id('0007')} || ':CREDIT'",
        "owner_id": _id("0007"),
        "unit": "'CREDIT'",
        "balance": "10",
        "floor": "0",
        "created_at": _AT,
    }
    return (User, person), (EmailAddress, address), (Account, account)


def _shelves() -> tuple[tuple[Any, dict[str, str]], ...]:
    from markethall.trade.catalog.models import Product, ProductPrice, Variant
    from markethall.trade.inventory.models import StockItem

    product = {
        "id": _id("000e"),
        "storefront": "'elysium'",
        "slug": "'piece-' || n",
        "name": "'Piece ' || n || ' ' || " + _one_of("ring", "pendant", "bracelet"),
        "summary": "'Made by hand, number ' || n",
        "description": "'Drawn, cast and set in one workshop, and sent in a box of its own.'",
        "status": _one_of("active", "draft"),
        "position": "n %% 1000",
        "facets": f"ARRAY['metal:' || {_one_of('gold', 'silver', 'platinum')}]::varchar[]",
        "created_at": _AT,
        "updated_at": _AT,
        "published_at": _AT,
    }
    price = {
        "product_id": _id("000e"),
        "id": _id("000f"),
        "currency": "'USD'",
        "amount": "100000 + n %% 9000 * 100",
        "from_amount": "100000 + n %% 9000 * 100",
        "storefront": "'elysium'",
        "is_shown": f"{_one_of('active', 'draft')} = 'active'",
    }
    variant = {"id": _id("0010"), "product_id": _id("000e"), "sku": "'PIECE-' || n"}
    stock = {
        "variant_id": _id("0010"),
        "on_hand": "n %% 50",
        "updated_at": _AT,
    }
    return (Product, product), (ProductPrice, price), (Variant, variant), (StockItem, stock)


def reviews(*, first: int, last: int) -> None:
    """Let as many people say something of products ``first`` to ``last``, one each; both exist."""
    from markethall.trade.catalog.models import Review

    review = {
        "id": _id("0011"),
        "product_id": _id("000e"),
        "user_id": _id("0007"),
        "name": "'Row ' || n",
        "rating": f"({_one_of('5', '4', '3', '1')})::smallint",
        "text": "'As it was shown, and well packed.'",
        "is_hidden": "n %% 100 = 0",
        "created_at": _AT,
    }
    _many([(Review, review)], first, last)


def _trade(whose: str) -> tuple[tuple[Any, dict[str, str]], ...]:
    from markethall.foundation.payments.models import Payment, Refund
    from markethall.trade.orders.models import Order, OrderLine

    order = {
        "id": _id("0009"),
        "number": "'B-' || n",
        "customer_id": whose,
        "email": "'row-' || n || '@' || md5(n::text) || '.example'",
        "storefront": _one_of("plushify", "market", "elysium"),
        "status": _one_of("FULFILLED", "PENDING", "CANCELLED", "PAID"),
        "currency": "'USD'",
        "items_total": "499",
        "total": "499",
        "payment_id": _id("000a"),
        "created_at": _AT,
        "paid_at": _AT,
    }
    line = {
        "id": _id("000b"),
        "order_id": _id("0009"),
        "kind": "'credits'",
        "item": "'credits-50'",
        "name": "'50 credits'",
        "quantity": "1",
        "unit_amount": "499",
        "total": "499",
    }
    payment = {
        "id": _id("000a"),
        "reference": _id("0009"),
        "payer_id": whose,
        "gateway": _one_of("sandbox", "stripe", "polar"),
        "gateway_ref": "'bench-' || n",
        "status": _one_of("succeeded", "created", "failed", "cancelled"),
        "amount": "499",
        "currency": _one_of("USD", "EUR", "JPY"),
        "created_at": _AT,
        "succeeded_at": _AT,
    }
    refund = {
        "id": _id("000c"),
        "payment_id": _id("000a"),
        "amount": "1",
        "reason": "'asked for'",
        "status": _one_of("succeeded", "failed"),
        "created_at": _AT,
        "settled_at": _AT,
    }
    return (Order, order), (OrderLine, line), (Payment, payment), (Refund, refund)


def _log(whose: str) -> tuple[tuple[Any, dict[str, str]], ...]:
    from markethall.foundation.audit.models import AuditEntry
    from markethall.foundation.files.models import StoredFile
    from markethall.foundation.messaging.models import Mail
    from markethall.foundation.payments.models import InboxEvent

    event = {
        "id": _id("000d"),
        "provider": _one_of("sandbox", "stripe", "polar"),
        "event_id": "'bench-' || n",
        "type": _one_of("payment.succeeded", "payment.failed", "refund.failed"),
        "payload": "'{}'",
        "status": _one_of("settled", "ignored", "parked", "dead"),
        "received_at": _AT,
        "due_at": _AT,
    }
    mail = {
        "id": _id("000e"),
        "to": "'row-' || n || '@' || md5(n::text) || '.example'",
        "user_id": whose,
        "template": _one_of("order_receipt", "welcome", "refund"),
        "subject": "'Hello'",
        "text": "'Hello'",
        "html": "'Hello'",
        "status": _one_of("sent", "failed"),
        "created_at": _AT,
    }
    act = {
        "id": _id("000f"),
        "at": _AT,
        "actor_id": whose,
        "action": _one_of("auth.sign_in", "orders.change", "credits.correct"),
        "subject_type": "'user'",
        "subject_id": f"({whose})::text",
    }
    file = {
        "id": _id("0006"),
        "owner_id": whose,
        "purpose": _one_of("result", "upload"),
        "name": "'bench/' || n",
        "content_type": "'image/png'",
        "size": "1000",
        "sha256": "md5(n::text)",
        "created_at": _AT,
    }
    return (InboxEvent, event), (Mail, mail), (AuditEntry, act), (StoredFile, file)


_JOBS = f"""
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args, status, attempts)
SELECT {_one_of("default", "imaging", "mail")},
       {_one_of("settle_inbox", "run_generation", "send_mail")}, 0, NULL, '{{}}',
       ({_one_of("succeeded", "failed", "cancelled", "aborted")})::procrastinate_job_status, 1
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n"""
