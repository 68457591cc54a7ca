"""Every act of the console's pages leaves its audit rows: who did what to which. A page that takes
a form and stands nowhere here fails."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from house.acts import (
    differing,
    filled,
    none_running,
    packed,
    paid_goods,
    parked,
    pictured,
    refused_refund,
    submitted,
    told_by,
    too_much_paid,
    unpaid_goods,
)
from house.addresses import pages
from house.people import make_user, page_client
from house.photos import photo
from house.shelf import line_of, on_shelf, order_of
from house.things import something_of_every_kind, undone
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.messaging.models import Mail, MailStatus, Suppression
from markethall.foundation.payments.models import InboxEvent, InboxStatus
from markethall.kernel import clock
from markethall.kernel.jobs import enqueue
from markethall.trade.catalog.models import ImportRun, Variant
from markethall.trade.vouchers.models import Voucher

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]
Things = dict[str, Any]

# Page, button where it has several, verb, kind of subject and which one; several rows by "+", "~"
# before what is recorded of nobody.
ACTS = """
/books/check                       -       books.check             book_check {new:check}
/users/{user_id}/credits           -       credits.correct         user {user_id}
/users/{user_id}/suspend           -       user.block              user {user_id}
/users/{user_id}/reactivate        -       user.unblock            user {user_id}
/users/{user_id}/role              -       user.role_change        user {user_id}
/users/{user_id}/password-reset    -       ~auth.reset_requested+user.send_reset user {user_id}
/users/{user_id}/verification      -       user.send_verification  user {user_id}
/users/{user_id}/erase             -       user.erase              user {user_id}
/orders/bulk                       pack    orders.pack             order {order_id}
/orders/bulk                       ship    orders.pack+orders.ship order {order_id}
/orders/bulk                       deliver orders.deliver          order {order_id}
/orders/{order_id}/erase-guest     -       orders.erase_guest      order {order_id}
/orders/{order_id}/pack            -       orders.pack             order {order_id}
/orders/{order_id}/parcels/{parcel_id} ship    orders.ship         order {order_id}
/orders/{order_id}/parcels/{parcel_id} unpack  orders.unpack       order {order_id}
/orders/{order_id}/parcels/{parcel_id} label   orders.relabel      order {order_id}
/orders/{order_id}/refund          -       payments.refund         order {order_id}
/orders/{order_id}/refunds/{refund_id} -   payments.refund_retry   refund {refund_id}
/orders/{order_id}/cancel          -       orders.change           order {order_id}
/products/bulk                     archive product.archived        product {product_id}
/products/bulk                     draft   product.draft           product {product_id}
/products/bulk                     activate product.active         product {product_id}
/products/bulk                     price   product.prices          product {product_id}
/products/new                      -       product.create          product {new:product}
/products/import                   -       product.import          import {new:import}
/products/import/{run_id}/carry-on -       product.import          import {new:import}
/products/{product_id}             -       product.save            product {product_id}
/products/{product_id}/move        -       product.archived        product {product_id}
/products/{product_id}/pictures    -       product.picture         product {product_id}
/products/{product_id}/pictures/{image_id} delete product.picture_delete product {product_id}
/products/{product_id}/pictures/{image_id} first  product.picture_order  product {product_id}
/products/{product_id}/pictures/{image_id} save   product.picture_change product {product_id}
/reviews/{review_id}               hide    review.hide             product {product_id}
/categories                        -       category.create         category {new:category}
/categories                        delete  category.delete         category {category_id}
/collections                       -       collection.create       collection {new:collection}
/collections                       delete  collection.delete       collection {collection_id}
/stock/receive                     -       stock.receive           -  -
/stock/{variant_id}/adjust         -       stock.adjust            variant {variant_id}
/stock/{variant_id}/change         -       stock.change            variant {variant_id}
/leads/{lead_id}/reply             note    leads.note              lead {lead_id}
/leads/{lead_id}/reply             mail    leads.reply             lead {lead_id}
/leads/{lead_id}/change            -       leads.change            lead {lead_id}
/vouchers/new                      -       voucher.make            voucher {new:voucher}
/vouchers/many                     -       voucher.make_many       voucher {new:voucher}
/vouchers/{voucher_id}/change      -       voucher.change          voucher {voucher_id}
/vouchers/{voucher_id}/switch      -       voucher.change          voucher {voucher_id}
/shipping/new                      -       shipping_method.make    shipping_method {new:shipping}
/shipping/{method_id}              -       shipping_method.change  shipping_method {method_id}
/shipping/{method_id}/remove       -       shipping_method.remove  shipping_method {method_id}
/taxes/new                         -       tax_rate.set            tax_rate {new:tax}
/taxes/{rate_id}                   -       tax_rate.set            tax_rate {rate_id}
/taxes/{rate_id}/remove            -       tax_rate.remove         tax_rate {rate_id}
/payments/{payment_id}/give-back   -       payments.mismatch_returned order {order_id}
/payments/{payment_id}/accept      -       payments.mismatch_accepted order {order_id}
/reconcile/start                   -       payments.compare        comparison {new:comparison}
/reconcile/differences/{difference_id}/heal - payments.heal        difference {difference_id}
/inbox/replay-dead                 -       webhooks.replay         inbox_event {event_id}
/inbox/{event_id}/replay           -       webhooks.replay         inbox_event {event_id}
/jobs/{job_id}/retry               -       jobs.retry              job {job_id}
/jobs/{job_id}/cancel              -       jobs.cancel             job {job_id}
/mails/suppressed/{suppression_id}/write-again - mail.unsuppress   suppression {suppression_id}
/mails/{mail_id}/resend            -       mail.resend             mail {mail_id}
/settings                          -       settings.change         setting generation_cost
"""
# They show what is sent, and change nothing.
SHOWN: set[str] = set()
METHOD = {
    "storefront": "market",
    "code": "courier",
    "name": "Courier",
    "kind": "flat",
    "countries": "",
    "days_min": "1",
    "days_max": "2",
    "tax_category": "standard",
    "position": "0",
    "is_active": "on",
    "price-TOTAL_FORMS": "1",
    "price-INITIAL_FORMS": "0",
    "price-0-currency": "USD",
    "price-0-amount": "9",
}
RATE = {"country": "KE", "category": "standard", "name": "VAT", "percent": "15"}
WORTH = {"storefront": "elysium", "kind": "free_shipping", "is_active": "on"}
PRODUCT = {"slug": "aube", "name": "Aube", "price-USD": "900"}
SHELF = {"storefront": "elysium", "slug": "dusk", "name": "Dusk", "is_active": "on"}
FORMS: dict[str, dict[str, Any]] = {
    "/users/{user_id}/credits": {"direction": "add", "amount": "1", "reason": "Sorry"},
    "/users/{user_id}/role": {"role": "finance"},
    "/users/{user_id}/erase": {"email": "{email}"},
    "/orders/bulk": {"order": "{order_id}"},
    "/orders/{order_id}/pack": {"pack-{line_id}": "1"},
    "/orders/{order_id}/parcels/{parcel_id}": {"tracking_number": "1Z"},
    "/orders/{order_id}/refund": {"reason": "Sorry"},
    "/products/bulk": {"product": "{product_id}", "percent": "5"},
    "/products/new": PRODUCT,
    "/products/import": {"storefront": "elysium"},
    "/products/{product_id}": {**PRODUCT, "slug": "aurore"},
    "/products/{product_id}/move": {"to": "archived"},
    "/products/{product_id}/pictures/{image_id}": {"alt": "From the side"},
    "/reviews/{review_id}": {"reason": "Rude"},
    "/categories": SHELF,
    "/collections": SHELF,
    "/stock/receive": {"list": "{sku} 3"},
    "/stock/{variant_id}/adjust": {"change": "-1", "reason": "damaged"},
    "/stock/{variant_id}/change": {"low_at": "3", "is_counted": "on"},
    "/leads/{lead_id}/reply": {"body": "With pleasure"},
    "/leads/{lead_id}/change": {"status": "won"},
    "/vouchers/new": {**WORTH, "code": "SPRING"},
    "/vouchers/many": {**WORTH, "count": "3"},
    "/vouchers/{voucher_id}/change": {**WORTH, "code": "SPRING"},
    "/vouchers/{voucher_id}/switch": {"to": "off"},
    "/shipping/new": METHOD,
    "/shipping/{method_id}": METHOD,
    "/taxes/new": {**RATE, "country": "NG"},
    "/taxes/{rate_id}": RATE,
}
FILES: dict[str, Callable[[], SimpleUploadedFile]] = {
    "/products/import": lambda: SimpleUploadedFile("pieces.csv", b"slug,name\n", "text/csv"),
    "/products/{product_id}/pictures": lambda: SimpleUploadedFile(
        "ring.png", photo("PNG", size=(800, 800)), "image/png"
    ),
}


def parcel(things: Things) -> Things:
    made = packed(things)
    return {**made, "parcel_id": made["shipment_id"]}


def sent(things: Things) -> Things:
    made = packed(things)
    page_client(things["boss"]).post(
        f"/console/orders/{made['order_id']}/parcels/{made['shipment_id']}", {"act": "ship"}
    )
    return made


def line(things: Things) -> Things:
    from markethall.trade.orders.models import OrderLine

    made = paid_goods(things)
    return {**made, "line_id": OrderLine.objects.get(order=made["order_id"]).pk}


def guests(_: Things) -> Things:
    return {"order_id": order_of(None, line_of(on_shelf())).pk}


def pictured_image(things: Things) -> Things:
    return {"image_id": pictured(things)["picture_id"]}


def suspended(things: Things) -> Things:
    User.objects.filter(pk=things["user_id"]).update(is_active=False)
    return {}


def newcomer(_: Things) -> Things:
    return {"user_id": make_user(verified=False).pk}


def tried(_: Things) -> Things:
    from markethall.foundation.files.actions import store_file

    file = store_file(b"slug,name\n", purpose="import", content_type="text/csv", owner_id=None)
    run = ImportRun.objects.create(
        storefront="elysium", name="a.csv", file=file, is_dry=True, state="done",
        created_at=clock.now(), ended_at=clock.now(),
    )  # fmt: skip
    return {"run_id": run.pk}


def dead(things: Things) -> Things:
    made = parked(things)
    InboxEvent.objects.exclude(pk=made["event_id"]).delete()
    InboxEvent.objects.update(status=InboxStatus.DEAD)
    return made


def waiting_job(_: Things) -> Things:
    enqueue("deliver_mail", mail_id=str(uuid.uuid4()))
    return {"job_id": ProcrastinateJob.objects.latest("id").pk}


def failed_job(things: Things) -> Things:
    made = waiting_job(things)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [made["job_id"]]
        )
    return made


def suppressed(things: Things) -> Things:
    row = Suppression.objects.create(
        address="away@example.com", reason="bounced", created_at=clock.now()
    )
    return {"suppression_id": row.pk}


def mailed(things: Things) -> Things:
    send_mail("account_deleted", to="ada@example.com", context={"user": things["owner"]})
    mail = Mail.objects.latest("pk")
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.FAILED)
    return {"mail_id": mail.pk}


def empty_shelf(name: str) -> Callable[[Things], Things]:
    return lambda things: {"delete_id": things[f"{name}_id"]}


PREPARED: dict[str, Callable[[Things], Things]] = {
    "/users/{user_id}/reactivate": suspended,
    "/users/{user_id}/verification": newcomer,
    "/orders/bulk pack": paid_goods,
    "/orders/bulk ship": paid_goods,
    "/orders/bulk deliver": sent,
    "/orders/{order_id}/erase-guest": guests,
    "/orders/{order_id}/pack": line,
    "/orders/{order_id}/parcels/{parcel_id}": parcel,
    "/orders/{order_id}/refund": paid_goods,
    "/orders/{order_id}/refunds/{refund_id}": refused_refund,
    "/orders/{order_id}/cancel": unpaid_goods,
    "/products/bulk activate": submitted,
    "/products/import/{run_id}/carry-on": tried,
    "/products/{product_id}/pictures/{image_id}": pictured_image,
    "/payments/{payment_id}/give-back": too_much_paid,
    "/payments/{payment_id}/accept": too_much_paid,
    "/reconcile/start": none_running,
    "/reconcile/differences/{difference_id}/heal": differing,
    "/inbox/replay-dead": dead,
    "/inbox/{event_id}/replay": parked,
    "/jobs/{job_id}/retry": failed_job,
    "/jobs/{job_id}/cancel": waiting_job,
    "/mails/suppressed/{suppression_id}/write-again": suppressed,
    "/mails/{mail_id}/resend": mailed,
    "/categories delete": empty_shelf("category"),
    "/collections delete": empty_shelf("collection"),
}


def rows() -> list[tuple[str, str, str, str, str]]:
    """Page, button, verb, kind of subject, subject."""
    return [
        tuple("" if each == "-" else each for each in text.split())  # type: ignore[misc]
        for text in ACTS.strip().splitlines()
    ]


def takes_forms(things: Things, boss: User) -> set[str]:
    """The console's pages that take a form, by the table of addresses."""
    found = set()
    for place in pages():
        if not place.startswith("/console"):
            continue
        name = _named(place)
        with undone():
            answer = page_client(boss).post(f"/console{name}".format_map(_Any(things)))
        if answer.status_code != 405:
            found.add(name)
    return found


class _Any(dict[str, Any]):
    """What there is none of is nobody's."""

    def __missing__(self, key: str) -> Any:
        return 999_999_999 if key == "job_id" else uuid.uuid4()


def _named(place: str) -> str:
    """``/users/<uuid:user_id>`` as ``/users/{user_id}``."""
    parts = place.removeprefix("/console").split("/")
    return "/".join(f"{{{each[1:-1].partition(':')[2]}}}" if "<" in each else each
                    for each in parts)  # fmt: skip


@pytest.fixture
def boss(till: None) -> User:
    return make_user(role=Role.SUPER_ADMIN)


@pytest.fixture
def things(boss: User) -> Things:
    known = something_of_every_kind()
    sku = Variant.objects.get(pk=known["variant_id"]).sku
    Voucher.objects.update(code="V-SPRING")
    return known | {"sku": sku, "email": known["owner"].email, "boss": boss}


def fault_of(row: tuple[str, str, str, str, str], things: Things, boss: User) -> str:
    """What the rows that an act leaves differ in; nothing when they are as they must be."""
    place, button, verbs, kind, which = row
    make = PREPARED.get(f"{place} {button}") or PREPARED.get(place) or (lambda _: {})
    things = {**things, **make(things)}
    form = {
        name.format(**things) if "{" in name else name: filled(value, things)
        for name, value in FORMS.get(place, {}).items()
    }
    form |= {"act": button, "as": button} if button else {}
    if place == "/settings":
        form |= _settings(boss)
    if "delete_id" in things:
        form["id"] = str(things["delete_id"])
    if place in FILES:
        form["file"] = FILES[place]()
    client = page_client(boss)
    answer, found = told_by(lambda: client.post(f"/console{place}".format(**things), form))
    if answer.status_code != 302:
        return f"{answer.status_code} {answer.content.decode()[-300:]}"
    by = {"~": "None", "": str(boss.pk)}
    wanted = [(verb.lstrip("~"), by["~" if verb[0] == "~" else ""], kind)
              for verb in verbs.split("+")]  # fmt: skip
    if not which.startswith("{new:"):
        wanted = [(*each, which.format(**things)) for each in wanted]
    left = [each[: len(one)] for each, one in zip(found, wanted, strict=False)]
    return "" if left == wanted and len(found) == len(wanted) else f"left {found}, not {wanted}"


def _settings(boss: User) -> dict[str, Any]:
    """The page's own form as it stands, with another price of a picture."""
    from markethall.foundation.platform.queries import fresh_settings

    present = fresh_settings().model_dump()
    said = {name: value for name, value in present.items() if value not in (False, None)}
    return {**said, "generation_cost": present["generation_cost"] + 1}


def test_every_page_that_takes_a_form_has_its_place(things: Things, boss: User) -> None:
    assert takes_forms(things, boss) == {row[0] for row in rows()} | SHOWN


@pytest.mark.parametrize("area", sorted({row[0].split("/")[1] for row in rows()}))
def test_an_act_leaves_its_rows(area: str, things: Things, boss: User) -> None:
    faults = {}
    for row in rows():
        if row[0].split("/")[1] == area:
            with undone():
                faults[" ".join(row[:2])] = fault_of(row, things, boss)
    assert {place: fault for place, fault in faults.items() if fault} == {}


def test_what_is_refused_leaves_none(boss: User) -> None:
    finance: Client = page_client(make_user(role=Role.FINANCE))
    variant = on_shelf()
    answer, found = told_by(
        lambda: finance.post(f"/console/stock/{variant.pk}/adjust", {"change": "1"})
    )
    assert (answer.status_code, found) == (403, [])
