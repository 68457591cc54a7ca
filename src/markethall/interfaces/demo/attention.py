"""What people have looked at, wished for and asked for at ELYSIUM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from markethall.flows import bespoke
from markethall.foundation.accounts.models import User
from markethall.insight.analytics.actions import look
from markethall.insight.analytics.models import Glance
from markethall.insight.analytics.rules import viewer_of
from markethall.interfaces.demo.shop import STOREFRONT
from markethall.interfaces.demo.shoppers import GUEST
from markethall.kernel import clock
from markethall.kernel.ids import digest
from markethall.kernel.money import Money
from markethall.trade.catalog.models import Product
from markethall.trade.catalog.rules import default_configuration
from markethall.trade.catalog.specs import specs_of
from markethall.trade.leads.actions import Wish
from markethall.trade.leads.models import Lead
from markethall.trade.wishlist.actions import add
from markethall.trade.wishlist.models import WishlistItem

# Whose wishlist, and what is on it.
_WISHES = (
    ("customer", "nyx", {"metal": "platinum", "ring-size": "52", "carat": "2-00"}),
    ("customer", "pleiades", {"metal": "white-gold"}),
    ("customer", "thetis", {"metal": "yellow-gold"}),
)
# In the order in which each has looked; a name that is no customer's is a visitor's.
_LOOKED = {
    "customer": ("galatea", "vesper", "perpetua", "thetis", "pleiades", "nyx", "halcyon"),
    "mira": ("ouranos", "thetis", "selene", "perpetua", "nyx"),
    "jonas": ("aurore", "vesper", "halcyon", "pleiades"),
    "a visitor": ("aurore", "nyx", "halcyon"),
    "another visitor": ("leto", "aurore", "nyx"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody's wish for a piece of their own, and what the workshop answered, if it has."""

    who: str
    name: str
    email: str
    notes: str
    budget: Money
    in_days: int
    answer: str = ""


_QUESTIONS = (
    Question(
        "mira",
        "Mira Winter",
        "",
        "My grandmother left me an old-cut diamond of about 0.8 carat. I would like it in a low "
        "setting that I can wear at the piano, in rose gold. Can you work with a stone of ours?",
        Money(320_000, "EUR"),
        120,
        "Gladly. An old cut sits well in a rub-over setting: it is low, and guards the edge. Bring "
        "the stone by, or we send you an insured box for it. A first drawing takes about a week.",
    ),
    Question(
        "",
        "Grace Lund",
        GUEST,
        "Two bands that fit together, one plain and one with our dog's paw engraved inside. "
        "Sizes 52 and 61, yellow gold. We marry in spring.",
        Money(240_000, "GBP"),
        150,
    ),
)


def tell(customers: Mapping[str, User], answerer_id: UUID) -> Iterator[str]:
    """Tell what has not been told yet; yields what has been done."""
    _look_round(customers)
    for who, slug, chosen in _WISHES:
        _wish(customers[who], slug, chosen)
    yield f"{len(_WISHES)} wishes on a list"
    for question in _QUESTIONS:
        _ask(question, customers.get(question.who), answerer_id)
    yield f"{len(_QUESTIONS)} bespoke pieces asked for"


def _look_round(customers: Mapping[str, User]) -> None:
    pieces = {each.slug: each.pk for each in Product.objects.filter(storefront=STOREFRONT)}
    for who, slugs in _LOOKED.items():
        customer = customers.get(who)
        viewer = viewer_of(customer and customer.pk, digest(f"demo:{who}"))
        if not Glance.objects.filter(viewer=viewer).exists():
            for slug in slugs:
                look(viewer=viewer, product_id=pieces[slug])


def _wish(user: User, slug: str, chosen: Mapping[str, str]) -> None:
    product = Product.objects.get(storefront=STOREFRONT, slug=slug)
    if not WishlistItem.objects.filter(user=user, product=product).exists():
        usual = default_configuration(specs_of([product.pk])[product.pk])
        add(user=user, product_id=product.pk, configuration={**usual, **chosen}, currency="USD")


def _ask(question: Question, customer: User | None, answerer_id: UUID) -> None:
    email = customer.email if customer else question.email
    lead = Lead.objects.filter(storefront=STOREFRONT, email=email).first()
    if lead is None:
        wish = Wish(
            question.name,
            email,
            question.notes,
            budget=question.budget,
            wanted_by=(clock.now() + timedelta(days=question.in_days)).date(),
        )
        lead = bespoke.ask(storefront=STOREFRONT, customer_id=customer and customer.pk, wish=wish)
    if question.answer and not lead.messages.exists():
        bespoke.reply(lead_id=lead.pk, body=question.answer, actor_id=answerer_id)
