"""Every act of staff and on an account leaves one audit row: who did what to which. An endpoint
that changes something and stands nowhere here fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile

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
from house.people import PASSWORD, ApiClient, client_for, make_user
from house.photos import photo
from house.second_factor import code_for, turn_on
from house.things import something_of_every_kind, undone
from markethall.foundation.accounts import second_factor
from markethall.foundation.accounts.actions import reset_link, verification_link
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.interfaces.api.document import access_of, endpoints
from markethall.trade.catalog.models import Variant
from markethall.trade.vouchers.models import Voucher

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]

# Endpoint, verb, kind of subject and which one: of the path, of the body or of the answer. A new
# password ends all tokens, and gives another.
STAFF = """
PUT /api/bespoke/{lead_id}                     leads.change            lead {lead_id}
POST /api/bespoke/{lead_id}/messages           leads.reply             lead {lead_id}
POST /api/payments/refund                      payments.refund         order {order_id}
POST /api/payments/comparisons                 payments.compare        comparison {id}
POST /api/payments/differences/{difference_id}/heal payments.heal      difference {difference_id}
POST /api/payments/refunds/{refund_id}/retry   payments.refund_retry   refund {refund_id}
POST /api/payments/{payment_id}/give-back      payments.mismatch_returned order {order_id}
POST /api/payments/{payment_id}/accept         payments.mismatch_accepted order {order_id}
PUT /api/orders/{order_id}                     orders.change           order {order_id}
DELETE /api/orders/{order_id}                  orders.call_off         order {order_id}
POST /api/orders/{order_id}/cancel             orders.call_off         order {order_id}
POST /api/orders/{order_id}/refund             payments.refund         order {order_id}
POST /api/shipments                            orders.pack             order {order_id}
PUT /api/shipments/{shipment_id}               orders.ship             order {order_id}
POST /api/webhooks/events/{event_id}/replay    webhooks.replay         inbox_event {event_id}
POST /api/shipping/methods                     shipping_method.make    shipping_method {id}
PUT /api/shipping/methods/{method_id}          shipping_method.change  shipping_method {method_id}
DELETE /api/shipping/methods/{method_id}       shipping_method.remove  shipping_method {method_id}
POST /api/taxes                                tax_rate.set            tax_rate {id}
PUT /api/taxes/{rate_id}                       tax_rate.set            tax_rate {rate_id}
DELETE /api/taxes/{rate_id}                    tax_rate.remove         tax_rate {rate_id}
POST /api/products                             product.create          product {id}
POST /api/products/bulk                        product.archived        product {product_id}
PUT /api/products/{product_id}                 product.save            product {product_id}
DELETE /api/products/{product_id}              product.archived        product {product_id}
POST /api/products/{product_id}/approve        product.active          product {product_id}
POST /api/products/{product_id}/reject         product.rejected        product {product_id}
POST /api/products/{product_id}/images         product.picture         product {product_id}
DELETE /api/products/{product_id}/images/{picture_id} product.picture_delete product {product_id}
PUT /api/products/{product_id}/reviews/{review_id} review.hide         product {product_id}
POST /api/categories                           category.create         category {id}
PUT /api/categories/{category_id}              category.save           category {category_id}
DELETE /api/categories/{category_id}           category.delete         category {category_id}
POST /api/collections                          collection.create       collection {id}
PUT /api/collections/{collection_id}           collection.save         collection {collection_id}
DELETE /api/collections/{collection_id}        collection.delete       collection {collection_id}
PUT /api/inventory/{variant_id}                stock.adjust            variant {variant_id}
POST /api/inventory/receive                    stock.receive           - -
PUT /api/users/{user_id}                       user.block              user {user_id}
DELETE /api/users/{user_id}                    user.erase              user {user_id}
PUT /api/users/{user_id}/profile               user.change             user {user_id}
POST /api/users/{user_id}/credits              credits.correct         user {user_id}
POST /api/vouchers                             voucher.make            voucher {id}
POST /api/vouchers/bulk                        voucher.make_many       voucher {first}
PUT /api/vouchers/{voucher_id}                 voucher.change          voucher {voucher_id}
DELETE /api/vouchers/{voucher_id}              voucher.remove          voucher {voucher_id}
PUT /api/settings                              settings.change         setting generation_cost
"""
OWN = """
POST /api/auth/logout                          auth.logout             user {user_id}
POST /api/auth/signout                         auth.logout             user {user_id}
PUT /api/auth/profile                          user.profile_change     user {user_id}
POST /api/auth/change-password                 auth.password_change+auth.login user {user_id}
POST /api/auth/second-factor/confirm           auth.second_factor_on   user {user_id}
DELETE /api/auth/second-factor                 auth.second_factor_off  user {user_id}
POST /api/auth/second-factor/recovery-codes    auth.second_factor_codes user {user_id}
DELETE /api/auth/links/{link_id}               auth.oauth_unlink       user {user_id}
POST /api/auth/login                           auth.login              user {user_id}
POST /api/auth/signin                          auth.login              user {user_id}
POST /api/auth/reset-password                  auth.password_reset     user {user_id}
POST /api/auth/verify-email                    auth.verify             user {newcomer}
POST /api/auth/register                        auth.register           user {made}
POST /api/auth/signup                          auth.register           user {made}
POST /api/auth/forgot-password                 auth.reset_requested    user {user_id}
PUT /api/user/profile                          user.profile_change     user {user_id}
PATCH /api/user/profile                        user.profile_change     user {user_id}
DELETE /api/user/account                       user.erase              user {user_id}
POST /api/user/api-keys                        auth.api_key_made       api_key {id}
DELETE /api/user/api-keys/{key_id}             auth.api_key_revoked    api_key {key_id}
"""
# They change nothing about who may do what: a mail is sent, a browser is sent away, a secret is
# shown that counts once it is confirmed, somebody keeps something for themselves.
UNRECORDED = {
    "POST /api/auth/resend-verification",
    "POST /api/auth/second-factor",
    "POST /api/auth/oauth/{provider}/start",
    "POST /api/auth/oauth/{provider}/link",
    "PATCH /api/user/settings",
    "POST /api/user/addresses",
    "PUT /api/user/addresses/{address_id}",
    "DELETE /api/user/addresses/{address_id}",
}
METHOD = {"storefront": "market", "code": "courier", "name": "Courier"}
RATE = {"country": "KE", "category": "standard", "name": "VAT", "basisPoints": 1500}
OTHER_RATE = {**RATE, "country": "NG"}
PRICED = {"prices": [{"amount": 900, "currency": "USD"}]}
PRODUCT = {"slug": "aube", "name": "Aube", **PRICED}
SHELF = {"slug": "dusk", "name": "Dusk"}
VOUCHER = {"storefront": "elysium", "kind": "free_shipping"}
SIGN_IN = {"email": "{email}", "password": PASSWORD}
SORRY = {"reason": "Sorry"}

PICTURE = "POST /api/products/{product_id}/images"
# Who did it where it was not the caller.
ACTORS = {
    "POST /api/auth/verify-email": "newcomer",
    "POST /api/auth/register": "made",
    "POST /api/auth/signup": "made",
    "POST /api/auth/forgot-password": "nobody",
}
BODIES: dict[str, Any] = {
    "PUT /api/bespoke/{lead_id}": {"status": "won"},
    "POST /api/bespoke/{lead_id}/messages": {"body": "With pleasure"},
    "POST /api/payments/refund": {"orderId": "{order_id}", **SORRY},
    "POST /api/orders/{order_id}/refund": SORRY,
    "PUT /api/orders/{order_id}": {"note": "Seen"},
    "POST /api/shipments": {"orderId": "{order_id}"},
    "PUT /api/shipments/{shipment_id}": {"status": "shipped"},
    "POST /api/shipping/methods": METHOD,
    "PUT /api/shipping/methods/{method_id}": METHOD,
    "POST /api/taxes": OTHER_RATE,
    "PUT /api/taxes/{rate_id}": RATE,
    "POST /api/products": PRODUCT,
    "PUT /api/products/{product_id}": PRODUCT,
    "POST /api/products/bulk": {"ids": ["{product_id}"], "action": "archive"},
    "POST /api/products/{product_id}/reject": {"note": "Not yet"},
    "PUT /api/products/{product_id}/reviews/{review_id}": {"isHidden": True, "reason": "Rude"},
    "POST /api/categories": SHELF,
    "PUT /api/categories/{category_id}": SHELF,
    "POST /api/collections": SHELF,
    "PUT /api/collections/{collection_id}": SHELF,
    "PUT /api/inventory/{variant_id}": {"change": -1, "reason": "damaged"},
    "POST /api/inventory/receive": {"list": "{sku} 3"},
    "PUT /api/users/{user_id}": {"isActive": False},
    "PUT /api/users/{user_id}/profile": {"name": "Ada King"},
    "POST /api/users/{user_id}/credits": {"amount": 1, **SORRY},
    "POST /api/vouchers": {**VOUCHER, "code": "SPRING"},
    "POST /api/vouchers/bulk": {**VOUCHER, "count": 3},
    "PUT /api/vouchers/{voucher_id}": {**VOUCHER, "code": "SPRING"},
    "PUT /api/settings": {"generationCost": 7},
    "PUT /api/auth/profile": {"name": "Ada King"},
    "PUT /api/user/profile": {"name": "Ada King"},
    "PATCH /api/user/profile": {"name": "Ada King"},
    "POST /api/auth/change-password": {
        "currentPassword": PASSWORD,
        "newPassword": "quite-another-secret",
    },
    "POST /api/auth/second-factor/confirm": {"setupToken": "{setup}", "code": "{code}"},
    "DELETE /api/auth/second-factor": {"password": PASSWORD},
    "POST /api/auth/second-factor/recovery-codes": {"password": PASSWORD},
    "DELETE /api/auth/links/{link_id}": {"password": PASSWORD},
    "POST /api/auth/login": SIGN_IN,
    "POST /api/auth/signin": SIGN_IN,
    "POST /api/auth/reset-password": {"token": "{reset}", "password": "quite-another-secret"},
    "POST /api/auth/verify-email": {"token": "{verification}"},
    "POST /api/auth/register": {"email": "grace@example.com", "password": PASSWORD},
    "POST /api/auth/signup": {"email": "grace@example.com", "password": PASSWORD},
    "POST /api/auth/forgot-password": {"email": "{email}"},
    "DELETE /api/user/account": {"password": PASSWORD},
    "POST /api/user/api-keys": {"name": "Build server"},
}


def factor_begun(things: dict[str, Any]) -> dict[str, Any]:
    setup = second_factor.begin(user=things["owner"])
    return {"setup": setup.token, "code": code_for(setup.secret)}


def factor_on(things: dict[str, Any]) -> dict[str, Any]:
    return {"secret": turn_on(things["owner"])}


def reset_mailed(things: dict[str, Any]) -> dict[str, Any]:
    return {"reset": reset_link(things["owner"]).rpartition("/")[2]}


def verification_mailed(_: dict[str, Any]) -> dict[str, Any]:
    user = make_user(verified=False)
    link = verification_link(EmailAddress.objects.get(user=user))
    return {"newcomer": user.pk, "verification": link.rpartition("/")[2]}


PREPARED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "POST /api/payments/refund": paid_goods,
    "POST /api/payments/comparisons": none_running,
    "POST /api/payments/differences/{difference_id}/heal": differing,
    "POST /api/payments/refunds/{refund_id}/retry": refused_refund,
    "POST /api/payments/{payment_id}/give-back": too_much_paid,
    "POST /api/payments/{payment_id}/accept": too_much_paid,
    "DELETE /api/orders/{order_id}": unpaid_goods,
    "POST /api/orders/{order_id}/cancel": unpaid_goods,
    "POST /api/orders/{order_id}/refund": paid_goods,
    "POST /api/shipments": paid_goods,
    "PUT /api/shipments/{shipment_id}": packed,
    "POST /api/webhooks/events/{event_id}/replay": parked,
    "POST /api/products/{product_id}/approve": submitted,
    "POST /api/products/{product_id}/reject": submitted,
    "DELETE /api/products/{product_id}/images/{picture_id}": pictured,
    "POST /api/auth/second-factor/confirm": factor_begun,
    "DELETE /api/auth/second-factor": factor_on,
    "POST /api/auth/second-factor/recovery-codes": factor_on,
    "POST /api/auth/reset-password": reset_mailed,
    "POST /api/auth/verify-email": verification_mailed,
}


def rows(table: str) -> dict[str, tuple[str, str, str]]:
    """Endpoint → verb, kind of subject, subject."""
    lines = (line.split() for line in table.strip().splitlines())
    return {f"{method} {path}": (verb, kind, which) for method, path, verb, kind, which in lines}


def call(endpoint: str, caller: User | None, things: dict[str, Any]) -> Any:
    method, path = endpoint.split()
    client = client_for(caller) if caller else ApiClient()
    if endpoint == PICTURE:
        picture = SimpleUploadedFile("ring.png", photo("PNG", size=(800, 800)), "image/png")
        return client.upload(path.format(**things), file=picture)
    body = filled(BODIES.get(endpoint), things)
    return getattr(client, method.lower())(path.format(**things), body)


def fault_of(
    endpoint: str, wanted: tuple[str, str, str], things: dict[str, Any], actor: User
) -> str:
    """What the rows that a call leaves differ in; nothing when they are as they must be."""
    things = {**things, **PREPARED.get(endpoint, lambda _: {})(things)}
    answer, found = told_by(lambda: call(endpoint, actor, things))
    if not 200 <= answer.status_code < 300:
        return f"{answer.status_code} {answer.content!r}"
    said = answer.json() if answer.content else {}
    made = User.objects.filter(email="grace@example.com").values_list("pk", flat=True).first()
    known = {**things, "made": made, "id": said.get("id"), "actor": actor.pk, "nobody": None}
    if "codes" in said:
        known["first"] = Voucher.objects.get(code=said["codes"][0]).pk
    verbs, kind, which = (part.replace("-", "") for part in wanted)
    by = str(known[ACTORS.get(endpoint, "actor")])
    expected = [(verb, by, kind, which.format(**known)) for verb in verbs.split("+")]
    return "" if found == expected else f"left {found}, not {expected}"


def test_every_act_has_its_place() -> None:
    acts = {
        f"{method.upper()} {path}"
        for path, method, operation in endpoints()
        if method != "get"
        and (access_of(operation).permission or path.startswith(("/api/auth/", "/api/user/")))
    }
    cancels = {"DELETE /api/orders/{order_id}", "POST /api/orders/{order_id}/cancel"}
    assert rows(STAFF).keys() | rows(OWN).keys() | UNRECORDED == acts | cancels


@pytest.mark.parametrize("area", sorted({endpoint.split("/")[2] for endpoint in rows(STAFF)}))
def test_an_act_of_staff_leaves_one_row(area: str) -> None:
    things, boss = something_of_every_kind(), make_user(role=Role.SUPER_ADMIN)
    things |= {"sku": Variant.objects.get(pk=things["variant_id"]).sku}
    faults = {}
    for endpoint, wanted in rows(STAFF).items():
        if endpoint.split("/")[2] == area:
            with undone():
                faults[endpoint] = fault_of(endpoint, wanted, things, boss)
    assert {endpoint: fault for endpoint, fault in faults.items() if fault} == {}


def test_an_act_on_ones_account_leaves_one_row() -> None:
    things = something_of_every_kind()
    owner = things["owner"]
    things |= {"email": owner.email}
    faults = {}
    for endpoint, wanted in rows(OWN).items():
        with undone():
            faults[endpoint] = fault_of(endpoint, wanted, things, owner)
    assert {endpoint: fault for endpoint, fault in faults.items() if fault} == {}
