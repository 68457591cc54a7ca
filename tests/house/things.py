"""A thing of every kind that a path can name, and calls that leave it as it was."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from PIL import Image

from house.goods import make_product
from house.people import make_user
from house.shelf import on_shelf
from markethall.flows import comparison
from markethall.flows.checkout import Wanted, start_checkout
from markethall.flows.generation import start_generation
from markethall.foundation.accounts.belongings import add_address, make_api_key
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import accept_picture
from markethall.foundation.ledger import accounts as ledger_accounts
from markethall.foundation.platform import queries as platform_queries
from markethall.kernel import clock
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.actions.reviews import add_review
from markethall.trade.leads.actions import Wish, open_lead
from markethall.trade.shipping.models import ShippingMethod
from markethall.trade.taxes.models import TaxRate
from markethall.trade.vouchers.models import Voucher

HOME = {
    "kind": "shipping",
    "name": "Ada",
    "line1": "1 Market Square",
    "city": "Dublin",
    "country": "IE",
}


def something_of_every_kind() -> dict[str, Any]:
    """Ids by the names that paths give them, all of it the owner's."""
    owner = make_user()
    content = BytesIO()
    Image.new("RGB", (64, 64), (200, 120, 60)).save(content, "JPEG")
    size = content.tell()
    content.seek(0)
    upload = accept_picture(
        content, size=size, name="a.jpg", declared_type="image/jpeg", owner_id=owner.pk
    )
    picture = start_generation(user_id=owner.pk, upload_id=upload.pk, style="cute", size="small")
    started = start_checkout(customer=owner, wanted=[Wanted("credits-50")])
    key, _ = make_api_key(user=owner, name="Build server")
    return {
        "owner": owner,
        "user_id": owner.pk,
        "image_id": picture.pk,
        "order_id": started.order.pk,
        "payment_id": started.payment.pk,
        "address_id": add_address(user=owner, **HOME).pk,
        "key_id": key.pk,
        "lead_id": open_lead(
            storefront="elysium",
            customer_id=owner.pk,
            wish=Wish(name="Ada", email=owner.email, notes="A ring"),
        ).pk,
        **_goods(owner),
        "link_id": SocialAccount.objects.create(user=owner, provider="google", uid="1").pk,
        "event_id": uuid.uuid4(),
        "refund_id": uuid.uuid4(),
        "shipment_id": uuid.uuid4(),
        "line_id": uuid.uuid4(),
        "voucher_id": Voucher.objects.create(
            storefront="elysium",
            code=f"V-{owner.pk.hex[:20].upper()}",
            kind="free_shipping",
            created_at=clock.now(),
        ).pk,
        "method_id": ShippingMethod.objects.create(
            storefront="market", code=owner.pk.hex[:20], name="Post"
        ).pk,
        "rate_id": _some_rate(),
        "variant_id": on_shelf().pk,
        "comparison_id": comparison.open_one(actor_id=None).pk,
        "difference_id": uuid.uuid4(),
        "provider": "nobody",
        "token": "nobodys",
    }


def _some_rate() -> uuid.UUID:
    rate, _ = TaxRate.objects.get_or_create(
        country="KE", category="standard", defaults={"name": "VAT", "basis_points": 1600}
    )
    return rate.pk


def _goods(owner: User) -> dict[str, Any]:
    """A product that the owner may review, with what stands around it."""
    category = save_category(
        storefront="elysium", draft=CategoryDraft("rings", "Rings"), actor_id=None
    )
    collection = save_collection(
        storefront="elysium", draft=CollectionDraft("dawn", "Dawn"), actor_id=None
    )
    product = make_product("aurore", collections=["dawn"])
    return {
        "product_id": product.pk,
        "category_id": category.pk,
        "collection_id": collection.pk,
        "picture_id": uuid.uuid4(),
        "review_id": add_review(product=product, user=make_user(), rating=5).pk,
    }


@contextmanager
def undone() -> Iterator[None]:
    """What the block changes is taken back."""
    block = transaction.atomic()
    block._from_testcase = True  # what is durable may run within, as within a test
    with block:
        yield
        transaction.set_rollback(True)
    ledger_accounts.forget_known()
    platform_queries.forget_kept()
