"""``markethall setup-stripe`` and ``setup-polar``: make at a gateway what has to stand there."""

from __future__ import annotations

from rich.console import Console

from markethall.interfaces.cli.setup import CannotStart, prepare

console = Console(highlight=False, soft_wrap=True)


def setup_stripe() -> None:
    """Make at Stripe what is missing there, and mend what differs: a product with its price for
    each offer, and the webhook endpoint. Can run any number of times."""
    prepare(opens=False)
    from django.conf import settings

    from markethall.foundation.payments.gateways.stripe import setup
    from markethall.kernel.errors import Problem
    from markethall.trade.catalog.queries import active_offers

    if not settings.ENVIRONMENT.stripe_secret_key:
        raise CannotStart("Set STRIPE_SECRET_KEY to talk to Stripe.")
    articles = [setup.Article(offer.code, offer.name, offer.price) for offer in active_offers()]
    try:
        for said in setup.set_up_products(articles):
            console.print(said, markup=False)
        console.print(setup.set_up_webhooks(), markup=False)
    except Problem as error:
        raise CannotStart(error.detail) from None


def setup_polar() -> None:
    """Make at Polar what is missing there: the product and the webhook endpoint. Can run any
    number of times."""
    prepare(opens=False)
    from markethall.foundation.payments.gateways.polar import setup
    from markethall.kernel.errors import Problem

    try:
        console.print(setup.set_up_product(), markup=False)
        console.print(setup.set_up_webhooks(), markup=False)
    except Problem as error:
        raise CannotStart(error.detail) from None
