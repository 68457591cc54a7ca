"""The demo data: made by people's own acts, told once however often."""

from __future__ import annotations

import pytest

from house.people import ApiClient
from markethall.content.imaging.models import Generation
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.payments.models import Chargeback, Refund
from markethall.interfaces.demo.story import DOMAIN, PASSWORD, PICTURES, tell
from markethall.trade.orders.models import Order


@pytest.mark.usefixtures("till")
@pytest.mark.django_db(transaction=True)
def test_the_story_is_told_once() -> None:
    for _ in range(2):
        list(tell())
        assert User.objects.count() == 8
        assert Generation.objects.count() == len(PICTURES)
        assert sorted(Order.objects.values_list("status", flat=True)) == [
            "FULFILLED",
            "FULFILLED",
            "FULFILLED",
            "PAYMENT_FAILED",
        ]
        assert [refund.amount for refund in Refund.objects.filter(status="succeeded")] == [500]
        assert Chargeback.objects.get().status == "needs_response"
        assert AuditEntry.objects.filter(action="credits.correct").count() == 1
    assert [fault for result in check_ledger() for fault in result.faults] == []
    for role in Role:
        login = {"email": f"{role}@{DOMAIN}", "password": PASSWORD}
        answer = ApiClient().post("/api/auth/login", login)
        assert (answer.status_code, answer.json()["user"]["role"]) == (200, role)
