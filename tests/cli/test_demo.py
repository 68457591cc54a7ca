"""The demo data: made by people's own acts, told once however often."""

from __future__ import annotations

from itertools import islice

import pytest

from house.people import ApiClient
from markethall.content.imaging.models import Generation
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.payments.models import Chargeback, Refund
from markethall.insight.analytics.queries import recently_viewed, trending
from markethall.insight.analytics.rules import viewer_of
from markethall.interfaces.demo import pieces
from markethall.interfaces.demo.story import DOMAIN, PASSWORD, PICTURES, tell
from markethall.trade.catalog.models import Product, ProductImage, Review
from markethall.trade.leads.models import Lead, LeadMessage
from markethall.trade.orders.models import Order
from markethall.trade.wishlist.models import WishlistItem


def states(storefront: str) -> list[str]:
    return sorted(Order.objects.filter(storefront=storefront).values_list("status", flat=True))


@pytest.mark.usefixtures("till")
@pytest.mark.django_db(transaction=True)
def test_the_story_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    some = dict(islice(pieces.pictures().items(), 2))
    monkeypatch.setattr(pieces, "pictures", lambda: some)
    for _ in range(2):
        list(tell())
        assert User.objects.count() == 8
        assert Generation.objects.count() == len(PICTURES)
        assert states("plushify") == ["FULFILLED", "FULFILLED", "FULFILLED", "PAYMENT_FAILED"]
        assert states("elysium") == [
            "DELIVERED",
            "DELIVERED",
            "DELIVERED",
            "PAID",
            "PAID",
            "PAYMENT_FAILED",
            "SHIPPED",
        ]
        given_back = Refund.objects.filter(status="succeeded")
        assert sorted(refund.amount for refund in given_back)[0] == 500
        assert given_back.count() == 2
        assert Product.objects.filter(status="active").count() == len(pieces.told()["pieces"])
        assert ProductImage.objects.count() == 2
        assert Review.objects.count() == 3
        assert sorted(Lead.objects.values_list("status", flat=True)) == ["in_progress", "new"]
        assert LeadMessage.objects.count() == 1
        assert WishlistItem.objects.count() == 3
        casey = viewer_of(User.objects.get(email=f"customer@{DOMAIN}").pk, None)
        seen = [each.slug for each in recently_viewed(casey, storefront="elysium", limit=2)]
        assert seen == ["halcyon", "nyx"]
        assert trending(storefront="elysium", limit=1)[0].slug == "nyx"
        assert Chargeback.objects.get().status == "needs_response"
        assert AuditEntry.objects.filter(action="credits.correct").count() == 1
    assert [fault for result in check_ledger() for fault in result.faults] == []
    for role in Role:
        login = {"email": f"{role}@{DOMAIN}", "password": PASSWORD}
        answer = ApiClient().post("/api/auth/login", login)
        assert (answer.status_code, answer.json()["user"]["role"]) == (200, role)
