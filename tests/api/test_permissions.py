"""The permission matrix: every endpoint, called by everyone. One that is missing here fails."""

from __future__ import annotations

from typing import Any

import pytest

from house.people import PASSWORD, ApiClient, client_for, make_user
from house.things import HOME, something_of_every_kind, undone
from markethall.foundation.accounts.models import User
from markethall.interfaces.api.document import endpoints

CALLERS = (
    "anonymous",
    "owner",
    "customer",
    "vendor",
    "logistics",
    "finance",
    "admin",
    "super_admin",
)
SIGNS = {"-": {401}, "x": {403}, "0": {404}}

# One column a caller: - must sign in, x may not, 0 does not find it, + may.
MATRIX = """
GET /api/analytics/recently-viewed                   ++++++++
POST /api/analytics/track-view                       ++++++++
GET /api/analytics/trending                          ++++++++
GET /api/analytics/dashboard                         -xxxx+++
GET /api/analytics/orders                            -xxx++++
GET /api/analytics/products                          -xxx++++
GET /api/analytics/revenue                           -xxxx+++
GET /api/audit                                       -xxxxx++
POST /api/auth/change-password                       -+++++++
POST /api/auth/forgot-password                       ++++++++
GET /api/auth/links                                  -+++++++
DELETE /api/auth/links/{link_id}                     -+000000
POST /api/auth/login                                 ++++++++
POST /api/auth/logout                                ++++++++
GET /api/auth/me                                     -+++++++
GET /api/auth/oauth                                  ++++++++
GET /api/auth/oauth/{provider}/callback              00000000
POST /api/auth/oauth/{provider}/link                 -xxxxxxx
POST /api/auth/oauth/{provider}/start                00000000
PUT /api/auth/profile                                -+++++++
POST /api/auth/register                              ++++++++
POST /api/auth/resend-verification                   ++++++++
POST /api/auth/reset-password                        ++++++++
DELETE /api/auth/second-factor                       -+++++++
GET /api/auth/second-factor                          -+++++++
POST /api/auth/second-factor                         -+++++++
POST /api/auth/second-factor/confirm                 -+++++++
POST /api/auth/second-factor/recovery-codes          -+++++++
GET /api/auth/session                                ++++++++
POST /api/auth/signin                                ++++++++
POST /api/auth/signout                               ++++++++
POST /api/auth/signup                                ++++++++
GET /api/auth/verify-email                           ++++++++
POST /api/auth/verify-email                          ++++++++
GET /api/bespoke                                     -xxxxx++
POST /api/bespoke                                    ++++++++
POST /api/bespoke/pictures                           ++++++++
GET /api/bespoke/{lead_id}                           -xxxxx++
PUT /api/bespoke/{lead_id}                           -xxxxx++
POST /api/bespoke/{lead_id}/messages                 -xxxxx++
DELETE /api/cart                                     00000000
GET /api/cart                                        ++++++++
POST /api/cart                                       00000000
PUT /api/cart/currency                               00000000
POST /api/cart/seen                                  00000000
DELETE /api/cart/voucher                             00000000
POST /api/cart/voucher                               00000000
DELETE /api/cart/{line_id}                           00000000
PUT /api/cart/{line_id}                              00000000
POST /api/checkout                                   00000000
POST /api/checkout/quote                             00000000
GET /api/categories                                  ++++++++
POST /api/categories                                 -xxxxx++
DELETE /api/categories/{category_id}                 -xxxxx++
PUT /api/categories/{category_id}                    -xxxxx++
GET /api/collections                                 ++++++++
POST /api/collections                                -xxxxx++
DELETE /api/collections/{collection_id}              -xxxxx++
GET /api/collections/{collection_id}                 ++++++++
PUT /api/collections/{collection_id}                 -xxxxx++
GET /api/credits/balance                             -+++++++
GET /api/credits/history                             -+++++++
GET /api/dev/clock                                   ++++++++
POST /api/dev/clock                                  ++++++++
GET /api/dev/gateway                                 ++++++++
POST /api/dev/gateway                                ++++++++
GET /api/dev/outbox                                  ++++++++
GET /api/images                                      -+++++++
POST /api/images/generate                            -+++++++
GET /api/images/providers                            -xxxxx++
GET /api/images/providers/calls                      -xxxxx++
POST /api/images/upload                              -+++++++
DELETE /api/images/{image_id}                        -+000000
GET /api/images/{image_id}                           -+000000
POST /api/images/{image_id}/cancel                   -+000000
POST /api/images/{image_id}/download                 -+000000
POST /api/images/{image_id}/favorite                 -+000000
GET /api/inventory                                   ++++++++
POST /api/inventory/receive                          -xxx+x++
PUT /api/inventory/{variant_id}                      -xxx+x++
GET /api/inventory/{variant_id}/history              -xxx+x++
GET /api/orders                                      -+++++++
POST /api/orders                                     -+++++++
DELETE /api/orders/{order_id}                        -+00xx++
GET /api/orders/{order_id}                           -+00++++
PUT /api/orders/{order_id}                           -xxxxx++
POST /api/orders/{order_id}/cancel                   -+00xx++
GET /api/orders/{order_id}/items                     -+00++++
GET /api/orders/{order_id}/receipt                   -+00++++
POST /api/orders/{order_id}/refund                   -xxxx+++
GET /api/payments/comparisons                        -xxxx+++
POST /api/payments/comparisons                       -xxxx+++
GET /api/payments/comparisons/{comparison_id}        -xxxx+++
GET /api/payments/comparisons/{comparison_id}/differences -xxxx+++
POST /api/payments/confirm                           -+++++++
POST /api/payments/create-checkout                   -+++++++
POST /api/payments/create-intent                     -+++++++
POST /api/payments/webhook                           ++++++++
POST /api/payments/portal                            -+++++++
POST /api/payments/differences/{difference_id}/heal  -xxxx000
GET /api/payments/plans                              ++++++++
POST /api/payments/refund                            -xxxx+++
GET /api/payments/refunds                            -xxxx+++
POST /api/payments/refunds/{refund_id}/retry         -xxxx000
GET /api/payments/transactions                       -+++++++
GET /api/payments/{payment_id}                       -+000+++
POST /api/payments/{payment_id}/accept               -xxxx+++
POST /api/payments/{payment_id}/give-back            -xxxx+++
GET /api/payments/{payment_id}/mismatch              -xxxx+++
GET /api/shipments                                   -xxx++++
POST /api/shipments                                  -xxx0x00
GET /api/shipments/{shipment_id}                     -xxx0000
PUT /api/shipments/{shipment_id}                     -xxx0x00
GET /api/shipping/methods                            ++++++++
POST /api/shipping/methods                           -xxxxx++
DELETE /api/shipping/methods/{method_id}             -xxxxx++
PUT /api/shipping/methods/{method_id}                -xxxxx++
POST /api/shipping/rates                             00000000
GET /api/products                                    ++++++++
POST /api/products                                   -xxxxx++
POST /api/products/bulk                              -xxxxx++
GET /api/products/search                             ++++++++
DELETE /api/products/{product_id}                    -xxxxx++
GET /api/products/{product_id}                       ++++++++
PUT /api/products/{product_id}                       -xxxxx++
POST /api/products/{product_id}/approve              -xxxxx++
POST /api/products/{product_id}/images               -xxxxx++
DELETE /api/products/{product_id}/images/{picture_id} -xxxxx00
POST /api/products/{product_id}/price                ++++++++
POST /api/products/{product_id}/reject               -xxxxx++
GET /api/products/{product_id}/reviews               ++++++++
POST /api/products/{product_id}/reviews              -xxxxxxx
PUT /api/products/{product_id}/reviews/{review_id}   -xxxxx++
GET /api/settings                                    -xxxxx++
PUT /api/settings                                    -xxxxx++
GET /api/taxes                                       ++++++++
POST /api/taxes                                      -xxxxx++
DELETE /api/taxes/{rate_id}                          -xxxxx++
PUT /api/taxes/{rate_id}                             -xxxxx++
DELETE /api/user/account                             -+++++++
GET /api/user/addresses                              -+++++++
POST /api/user/addresses                             -+++++++
DELETE /api/user/addresses/{address_id}              -+000000
PUT /api/user/addresses/{address_id}                 -+000000
GET /api/user/api-keys                               -+++++++
POST /api/user/api-keys                              -+++++++
DELETE /api/user/api-keys/{key_id}                   -+000000
GET /api/user/entitlements                           -+++++++
GET /api/user/export                                 -+++++++
GET /api/user/profile                                -+++++++
PATCH /api/user/profile                              -+++++++
PUT /api/user/profile                                -+++++++
GET /api/user/settings                               -+++++++
PATCH /api/user/settings                             -+++++++
GET /api/users                                       -xxxxx++
DELETE /api/users/{user_id}                          -xxxxx++
GET /api/users/{user_id}                             -xxxxx++
PUT /api/users/{user_id}                             -xxxxx++
GET /api/users/{user_id}/analytics                   -xxxxx++
POST /api/users/{user_id}/credits                    -xxxxx++
GET /api/users/{user_id}/orders                      -xxx++++
GET /api/users/{user_id}/profile                     -xxxxx++
PUT /api/users/{user_id}/profile                     -xxxxx++
GET /api/users/{user_id}/transactions                -xxxxx++
GET /api/vouchers                                    -xxxxx++
POST /api/vouchers                                   -xxxxx++
POST /api/vouchers/bulk                              -xxxxx++
DELETE /api/vouchers/{voucher_id}                    -xxxxx++
GET /api/vouchers/{voucher_id}                       -xxxxx++
PUT /api/vouchers/{voucher_id}                       -xxxxx++
GET /api/vouchers/{voucher_id}/uses                  -xxxxx++
GET /api/webhooks/events                             -xxxx+++
POST /api/webhooks/events/{event_id}/replay          -xxxxx00
POST /api/webhooks/replicate                         ++++++++
POST /api/webhooks/postmark                          00000000
POST /api/webhooks/resend                            00000000
POST /api/webhooks/polar                             ++++++++
POST /api/webhooks/sandbox                           ++++++++
POST /api/webhooks/stripe                             ++++++++
GET /api/wishlist                                    -+++++++
POST /api/wishlist                                   -+++++++
DELETE /api/wishlist                                 -+++++++
GET /api/wishlist/link                               -+++++++
PUT /api/wishlist/link                               -+++++++
GET /api/wishlist/shared/{token}                     00000000
POST /api/webhooks/sendgrid                          00000000
"""

BODIES: dict[str, dict[str, Any]] = {
    "DELETE /api/auth/links/{link_id}": {"password": PASSWORD},
    "PUT /api/user/addresses/{address_id}": HOME,
    "POST /api/user/addresses": HOME,
    "PUT /api/orders/{order_id}": {"note": "Seen"},
    "POST /api/cart": {"product": "nothing"},
    "PUT /api/cart/{line_id}": {"quantity": 1},
    "PUT /api/cart/currency": {"currency": "EUR"},
    "POST /api/cart/voucher": {"code": "GUESS"},
    "POST /api/checkout": {"shippingAddress": {}, "shippingMethod": "insured"},
    "POST /api/shipping/rates": {"country": "DE"},
    "POST /api/products/{product_id}/reviews": {"rating": 5},
    "POST /api/users/{user_id}/credits": {"amount": 1, "reason": "Sorry"},
    "POST /api/orders/{order_id}/refund": {"reason": "Sorry"},
    "POST /api/shipments": {"orderId": "00000000-0000-7000-8000-000000000000"},
}


@pytest.fixture
def things() -> dict[str, Any]:
    return something_of_every_kind()


def rows() -> dict[str, str]:
    """Endpoint → its eight signs."""
    table = {}
    for line in MATRIX.strip().splitlines():
        *endpoint, signs = line.split()
        table[" ".join(endpoint)] = signs
    return table


def all_endpoints() -> set[str]:
    return {f"{method.upper()} {path}" for path, method, _ in endpoints()}


def call(endpoint: str, caller: User | None, things: dict[str, Any]) -> int:
    """The status that ``caller`` gets; what the call changed is taken back."""
    method, path = endpoint.split()
    client = client_for(caller) if caller else ApiClient()
    with undone():
        answer = getattr(client, method.lower())(path.format(**things), BODIES.get(endpoint))
    return int(answer.status_code)


def sign_of(status: int) -> str:
    return next((sign for sign, statuses in SIGNS.items() if status in statuses), "+")


def test_every_endpoint_stands_in_the_matrix() -> None:
    assert set(rows()) == all_endpoints()
    assert {len(signs) for signs in rows().values()} == {len(CALLERS)}


def areas() -> list[str]:
    return sorted({endpoint.split("/")[2] for endpoint in rows()})


@pytest.mark.django_db
@pytest.mark.parametrize("area", areas())
def test_everyone_gets_what_the_matrix_says(area: str, things: dict[str, Any]) -> None:
    callers: dict[str, User | None] = {"anonymous": None, "owner": things["owner"]}
    callers |= {role: make_user(role=role) for role in CALLERS[2:]}
    wrong = {}
    for endpoint, signs in rows().items():
        if endpoint.split("/")[2] == area:
            statuses = [call(endpoint, callers[name], things) for name in CALLERS]
            found = "".join(sign_of(status) for status in statuses)
            if found != signs or max(statuses) >= 500:
                wrong[endpoint] = (signs, found, statuses)
    assert wrong == {}
