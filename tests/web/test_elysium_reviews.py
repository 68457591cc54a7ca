"""A buyer reviews a piece from its page and from their order; nobody else does."""

from __future__ import annotations

import pytest
from django.test import Client

from house.after import bought
from house.goods import bought as has
from house.goods import plain
from house.people import make_user, page_client
from house.shelf import line_of, on_shelf
from markethall.flows.order_parcels import ship_order
from markethall.flows.refund_lines import RefundedLine
from markethall.flows.refunds import refund_order
from markethall.trade.catalog.models import Review

PAGE, FORM = "/elysium/pieces/ring", "/elysium/pieces/ring/review"


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


@pytest.mark.django_db
def test_a_buyer_reviews_a_piece_once() -> None:
    ring, ada = plain("ring"), make_user(name="Ada Lovelace")
    has(ada, ring)
    browser = page_client(ada)
    assert f'href="{FORM}"' in text(browser, PAGE)
    assert "How do you like it?" in text(browser, FORM)
    empty = browser.post(FORM, {"title": "Lovely"})
    assert empty.status_code == 422
    assert "Choose from one to five stars." in empty.content.decode()
    assert 'value="Lovely"' in empty.content.decode()
    assert browser.post(FORM, {"rating": "6"}).status_code == 422
    sent = browser.post(FORM, {"rating": "4", "title": "Lovely", "text": "Light.\n\n<b>Warm.</b>"})
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{PAGE}#reviews")
    shown = text(Client(), PAGE)
    assert "Lovely" in shown
    assert "&lt;b&gt;Warm." in shown
    assert FORM not in text(browser, PAGE)
    assert browser.get(FORM).status_code == browser.post(FORM, {"rating": "1"}).status_code == 303
    assert Review.objects.get().rating == 4


@pytest.mark.django_db
def test_nobody_else_does() -> None:
    ring = plain("ring")
    has(make_user(), ring)
    other = page_client(make_user())
    assert FORM not in text(other, PAGE) + text(Client(), PAGE)
    assert other.get(FORM).status_code == other.post(FORM, {"rating": "5"}).status_code == 403
    assert Client().get(FORM).status_code == 302
    assert not Review.objects.exists()


@pytest.mark.usefixtures("till")
@pytest.mark.django_db
def test_an_order_that_is_sent_leads_there() -> None:
    ada = make_user()
    order, browser = bought(ada), page_client(ada)
    slug = order.lines.get().data["productSlug"]
    form = f"/elysium/pieces/{slug}/review"
    assert form not in text(browser, f"/orders/{order.pk}")
    ship_order(order_id=order.pk, actor_id=ada.pk)
    assert form in text(browser, f"/orders/{order.pk}")
    assert form not in text(page_client(make_user(role="admin")), f"/orders/{order.pk}")
    browser.post(form, {"rating": "5"})
    assert form not in text(browser, f"/orders/{order.pk}")


@pytest.mark.usefixtures("till")
@pytest.mark.django_db
def test_an_order_does_not_lead_to_what_was_given_back() -> None:
    ada, kept, returned = make_user(), on_shelf(), on_shelf()
    order = bought(ada, line_of(kept), line_of(returned))
    ship_order(order_id=order.pk, actor_id=ada.pk)
    back = order.lines.get(item=returned.sku)
    refund_order(
        order_id=order.pk,
        amount=None,
        lines=[RefundedLine(back.pk, 1)],
        reason="Too large",
        actor_id=ada.pk,
    )
    shown = text(page_client(ada), f"/orders/{order.pk}")
    assert f"/pieces/{kept.product.slug}/review" in shown
    assert f"/pieces/{returned.product.slug}/review" not in shown
