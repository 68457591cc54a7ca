"""Reviews in the console: found by what the address says, hidden and shown again."""

from __future__ import annotations

import pytest
from django.test import Client

from house.goods import plain
from house.people import make_user, page_client
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.trade.catalog.actions.reviews import add_review
from markethall.trade.catalog.models import Product, Review

pytestmark = pytest.mark.django_db
PATH = "/console/reviews"


@pytest.fixture
def desk() -> Client:
    return page_client(make_user(role=Role.ADMIN))


@pytest.fixture
def ring() -> Product:
    return plain("ring")


def said(product: Product, title: str, rating: int) -> Review:
    return add_review(product=product, user=make_user(), rating=rating, title=title, text="So.")


def titles(desk: Client, query: str) -> set[str]:
    html = desk.get(f"{PATH}?{query}").content.decode()
    return {title for title in ("Lovely", "Too small", "Rude") if title in html}


def test_the_address_says_which_are_listed(desk: Client, ring: Product) -> None:
    said(ring, "Lovely", 5)
    said(plain("chain"), "Too small", 2)
    Review.objects.filter(pk=said(ring, "Rude", 2).pk).update(is_hidden=True)
    assert titles(desk, "") == {"Lovely", "Too small", "Rude"}
    assert titles(desk, "state=hidden") == {"Rude"}
    assert titles(desk, "state=shown") == {"Lovely", "Too small"}
    assert titles(desk, "stars=2") == {"Too small", "Rude"}
    assert titles(desk, "product=ring") == titles(desk, f"product={ring.pk}") == {"Lovely", "Rude"}
    assert titles(desk, "product=ring&stars=2&state=shown") == set()
    assert titles(desk, "stars=many&state=odd") == {"Lovely", "Too small", "Rude"}


def test_hiding_takes_the_stars_away_and_says_why(desk: Client, ring: Product) -> None:
    said(ring, "Lovely", 5)
    rude = said(ring, "Rude", 1)
    answer = desk.post(f"{PATH}/{rude.pk}", {"act": "hide", "reason": "Insults the goldsmith"})
    assert (answer.status_code, answer.headers["Location"]) == (302, PATH)
    ring.refresh_from_db()
    assert (ring.rating_sum, ring.rating_count) == (5, 1)
    entry = AuditEntry.objects.get(action="review.hide")
    assert entry.data == {"review": str(rude.pk), "reason": "Insults the goldsmith"}
    desk.post(f"{PATH}/{rude.pk}", {"act": "show", "reason": "It was a quotation"})
    ring.refresh_from_db()
    assert (ring.rating_sum, ring.rating_count) == (6, 2)
    assert AuditEntry.objects.get(action="review.show").data["reason"] == "It was a quotation"


@pytest.mark.parametrize("sent", [{"act": "hide"}, {"act": "burn", "reason": "x"}, {"reason": "x"}])
def test_without_a_reason_or_an_act_nothing_happens(
    desk: Client, ring: Product, sent: dict[str, str]
) -> None:
    review = said(ring, "Lovely", 5)
    assert desk.post(f"{PATH}/{review.pk}", sent).status_code == 422
    assert not Review.objects.get().is_hidden
    assert not AuditEntry.objects.filter(action__startswith="review.").exists()


def test_only_who_keeps_the_catalogue_hides(ring: Product) -> None:
    review = said(ring, "Lovely", 5)
    agent = page_client(make_user(role=Role.FINANCE))
    assert agent.post(f"{PATH}/{review.pk}", {"act": "hide", "reason": "x"}).status_code == 403
    assert not Review.objects.get().is_hidden
