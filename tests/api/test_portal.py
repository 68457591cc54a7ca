"""The gateway's page of what one has paid, at the sandbox gateway."""

from __future__ import annotations

import pytest
from django.test import Client

from house.jobs import run_jobs
from house.people import ApiClient, client_for, make_user
from house.till import buy, checkout
from markethall.flows.erasure import erase_account
from markethall.foundation.payments.models import GatewayCustomer, SandboxCheckout, SandboxCustomer

PORTAL = "/api/payments/portal"


@pytest.mark.django_db
@pytest.mark.usefixtures("till")
class TestPortal:
    def test_it_shows_ones_own_payments_and_the_way_back(self) -> None:
        user, other = make_user(), make_user()
        order, others = buy(user), buy(other)
        answer = client_for(user).post(PORTAL, {"returnUrl": "/plushify/history/purchases"})
        assert answer.status_code == 200, answer.content
        page = Client().get(answer.json()["url"].removeprefix("http://testserver"))
        text = page.content.decode()
        assert order.number in text and user.email in text
        assert others.number not in text and other.email not in text
        assert 'href="http://testserver/plushify/history/purchases"' in text

    def test_who_has_paid_nothing_yet_has_an_empty_page(self) -> None:
        url = client_for(make_user()).post(PORTAL, {}).json()["url"]
        page = Client().get(url.removeprefix("http://testserver"))
        assert "You have not paid anything here yet." in page.content.decode()

    def test_a_link_that_was_made_up_shows_nothing(self) -> None:
        assert Client().get("/sandbox/portal/made-up").status_code == 404

    def test_it_leads_back_to_this_site_only(self) -> None:
        answer = client_for(make_user()).post(PORTAL, {"returnUrl": "https://evil.example/"})
        assert answer.status_code == 422
        assert ApiClient().post(PORTAL, {}).status_code == 401

    def test_somebody_is_one_customer_however_often_they_buy(self) -> None:
        user = make_user()
        client = client_for(user)
        checkout(client)
        checkout(client, "credits-200")
        known = GatewayCustomer.objects.get(user_id=user.pk)
        assert SandboxCheckout.objects.filter(customer_id=known.ref).count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("till")
def test_an_erased_person_is_forgotten_at_the_gateway() -> None:
    user = make_user()
    buy(user)
    ref = GatewayCustomer.objects.get(user_id=user.pk).ref
    assert SandboxCustomer.objects.get(pk=ref).email == user.email
    erase_account(user_id=user.pk, actor=user)
    run_jobs()
    assert not SandboxCustomer.objects.filter(pk=ref).exists()
    assert not GatewayCustomer.objects.filter(user_id=user.pk).exists()
