"""Giving back goods by line and quantity."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from house.after import bought, placed
from house.parallel import together
from house.people import client_for, make_user
from house.shelf import figures, line_of, on_shelf, stock_is_right
from house.till import books_are_right, deliver_and_settle
from markethall.flows.order_cancel import call_off
from markethall.flows.order_parcels import pack, ship, ship_order
from markethall.flows.refund_lines import RefundedLine
from markethall.flows.refunds import refund_order, retry
from markethall.flows.settlement import settle_free
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.errors import NothingToRefund
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.foundation.payments.models import Refund, RefundStatus, SandboxCheckout
from markethall.kernel.errors import Invalid
from markethall.kernel.idempotency import IdempotencyMismatch
from markethall.trade.orders.errors import MoveNotAllowed
from markethall.trade.orders.models import Order, OrderStatus, RefundLine
from markethall.trade.orders.shares import share_of
from markethall.trade.shipping.models import Shipment

pytestmark = pytest.mark.usefixtures("till")


def give_back(order: Order, *wanted: tuple[int, int], restock: bool = True, **extra: Any) -> Refund:
    """Give back (line, pieces) of an order, lines by their number."""
    ids = list(order.lines.order_by("pk").values_list("pk", flat=True))
    lines = [RefundedLine(ids[place], pieces, restock) for place, pieces in wanted]
    values = {"amount": None, "reason": "Too large", "actor_id": uuid.uuid4(), **extra}
    return refund_order(order_id=order.pk, lines=lines, **values)


@given(
    paid=st.integers(0, 10**9),
    quantity=st.integers(1, 60),
    cuts=st.lists(st.integers(1, 20), max_size=20),
    lost=st.lists(st.booleans(), max_size=20),
)
def test_shares_add_up_to_the_whole_in_any_order(
    paid: int, quantity: int, cuts: list[int], lost: list[bool]
) -> None:
    """Also when some were set aside, failed, and are counted no more."""
    standing: list[tuple[int, int]] = []
    for place, cut in enumerate(cuts):
        gone, gone_amount = sum(n for n, _ in standing), sum(a for _, a in standing)
        if gone + cut > quantity:
            continue
        amount = share_of(paid, quantity, pieces=cut, gone=gone, gone_amount=gone_amount)
        assert 0 <= amount <= paid - gone_amount
        standing.append((cut, amount))
        if place < len(lost) and lost[place]:
            standing.pop(place % len(standing))
    gone, gone_amount = sum(n for n, _ in standing), sum(a for _, a in standing)
    if gone < quantity:
        rest = share_of(paid, quantity, pieces=quantity - gone, gone=gone, gone_amount=gone_amount)
        assert gone_amount + rest == paid
    with pytest.raises(ValueError, match="not so many"):
        share_of(paid, quantity, pieces=quantity + 1, gone=0, gone_amount=0)


@pytest.mark.django_db
class TestByLine:
    def test_pieces_go_back_for_their_share_with_discount_and_tax(self) -> None:
        variant = on_shelf(10, price=1_000)
        line = replace(line_of(variant, 3, 1_000), discount=100, tax=551, tax_basis_points=1_900)
        order = bought(None, line, shipping=500, tax=646, tax_added=646)
        assert order.total == 3_000 - 100 + 500 + 646
        assert figures(variant) == (7, 0)
        amounts = [give_back(order, (0, 1)).amount for _ in range(3)]
        assert amounts == [1_150, 1_150, 1_151]
        assert figures(variant) == (10, 0)
        order.refresh_from_db()
        assert (order.status, order.refunded) == (OrderStatus.REFUNDED, 3_451)
        shipping = refund_order(
            order_id=order.pk,
            amount=None,
            lines=[],
            shipping=True,
            reason="Sorry",
            actor_id=uuid.uuid4(),
        )
        assert shipping.amount == 595
        order.refresh_from_db()
        assert order.refunded == order.total
        assert stock_is_right(variant)
        assert books_are_right()

    def test_never_more_pieces_than_were_bought(self) -> None:
        order = bought()
        give_back(order, (0, 2))
        with pytest.raises(Invalid) as refused:
            give_back(order, (0, 2))
        assert refused.value.errors[0].path == "lines.0.quantity"
        assert "1 of 3" in refused.value.errors[0].message
        for wanted in ([(0, 0)], [(0, 1), (0, 1)]):
            with pytest.raises(Invalid):
                give_back(order, *wanted)
        with pytest.raises(Invalid):
            give_back(order, (0, 1), amount=5)

    def test_what_does_not_go_to_stock_stays_out_of_it(self) -> None:
        variant = on_shelf(5)
        order = bought(None, line_of(variant, 2))
        give_back(order, (0, 1), restock=False)
        assert figures(variant) == (3, 0)
        assert stock_is_right(variant)

    def test_an_amount_for_nothing_brings_no_piece_back(self) -> None:
        variant = on_shelf(5)
        order = bought(None, line_of(variant, 2))
        refund_order(order_id=order.pk, amount=700, reason="A scratch", actor_id=uuid.uuid4())
        assert figures(variant) == (3, 0)
        assert not RefundLine.objects.exists()
        assert [give_back(order, (0, 1)).amount for _ in range(2)] == [5_000, 4_300]
        order.refresh_from_db()
        assert (order.status, order.refunded) == (OrderStatus.REFUNDED, 10_000)

    def test_the_rest_that_was_not_sent_comes_back_to_stock(self) -> None:
        variant = on_shelf(5)
        order = bought(None, line_of(variant, 3))
        (line_id,) = order.lines.values_list("pk", flat=True)
        actor_id = uuid.uuid4()
        sent = pack(order_id=order.pk, actor_id=actor_id, wanted={line_id: 1})
        ship(parcel_id=sent.pk, actor_id=actor_id)
        pack(order_id=order.pk, actor_id=actor_id, wanted={line_id: 1})
        refund_order(order_id=order.pk, amount=None, reason="All", actor_id=actor_id)
        assert figures(variant) == (4, 0)
        assert list(Shipment.objects.values_list("pk", flat=True)) == [sent.pk]
        order.refresh_from_db()
        assert order.status == OrderStatus.REFUNDED
        assert stock_is_right(variant)

    def test_pieces_that_go_back_are_not_packed_and_the_rest_is_sent(self) -> None:
        order = bought()
        give_back(order, (0, 1))
        ship_order(order_id=order.pk, actor_id=uuid.uuid4())
        (line,) = Shipment.objects.get().lines.all()
        assert line.quantity == 2
        order.refresh_from_db()
        assert order.status == OrderStatus.SHIPPED

    def test_giving_back_what_was_left_to_pack_completes_the_order(self) -> None:
        order = bought()
        (line_id,) = order.lines.values_list("pk", flat=True)
        parcel = pack(order_id=order.pk, actor_id=uuid.uuid4(), wanted={line_id: 2})
        ship(parcel_id=parcel.pk, actor_id=uuid.uuid4())
        order.refresh_from_db()
        assert order.status == OrderStatus.PAID
        give_back(order, (0, 1))
        order.refresh_from_db()
        assert order.status == OrderStatus.SHIPPED

    def test_the_same_key_gives_back_once(self) -> None:
        order = bought()
        first, second = (give_back(order, (0, 1), key="k") for _ in range(2))
        assert first.pk == second.pk
        with pytest.raises(IdempotencyMismatch):
            give_back(order, (0, 2), key="k")
        assert RefundLine.objects.get().quantity == 1

    def test_one_the_bank_refuses_counts_no_pieces_and_can_be_tried_again(self) -> None:
        order = bought()
        SandboxCheckout.objects.update(payment_method=counter.CARD_NO_REFUNDS)
        refund = give_back(order, (0, 2))
        assert refund.status == RefundStatus.FAILED
        SandboxCheckout.objects.update(payment_method=counter.CARD_OK)
        give_back(order, (0, 1))
        retry(refund_id=refund.pk, actor_id=uuid.uuid4())
        order.refresh_from_db()
        assert (order.status, order.refunded) == (OrderStatus.REFUNDED, 15_000)

    def test_the_mail_names_what_goes_back(self) -> None:
        give_back(bought(), (0, 2))
        mail = Mail.objects.get(template="refund")
        assert "2 × Ring" in mail.text
        # Pieces that came back to stock are no credits.
        assert "credit" not in mail.text
        assert "/orders/track/" in mail.text


@pytest.mark.django_db
def test_the_api_gives_back_lines() -> None:
    order = bought()
    (line_id,) = order.lines.values_list("pk", flat=True)
    staff = client_for(make_user(role="finance"))
    body = {"lines": [{"lineId": str(line_id), "quantity": 1}], "reason": "Too large"}
    answer = staff.post(f"/api/orders/{order.pk}/refund", body, headers={"Idempotency-Key": "a"})
    again = staff.post(f"/api/orders/{order.pk}/refund", body, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 201, answer.content
    assert answer.json() == again.json()
    assert answer.json()["lines"] == [
        {
            "lineId": str(line_id),
            "quantity": 1,
            "restock": 1,
            "amount": {"amount": 5_000, "currency": "USD"},
        }
    ]
    body["lines"][0]["quantity"] = 3
    refused = staff.post("/api/payments/refund", {**body, "orderId": str(order.pk)})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "lines.0.quantity")


@pytest.mark.django_db
class TestCallingOff:
    def test_before_it_is_paid(self) -> None:
        variant = on_shelf(5)
        order = placed(None, line_of(variant, 2))
        assert figures(variant) == (5, 2)
        assert call_off(order_id=order.pk, actor_id=None).status == OrderStatus.CANCELLED
        assert figures(variant) == (5, 0)
        assert Mail.objects.get(template="order_cancelled").to == "guest@example.com"

    def test_paid_and_nothing_packed(self) -> None:
        variant = on_shelf(5)
        user = make_user()
        order = bought(user, line_of(variant, 2))
        answer = client_for(user).post(f"/api/orders/{order.pk}/cancel", {"reason": "No more"})
        assert answer.status_code == 200, answer.content
        assert (answer.json()["status"], answer.json()["canCancel"]) == ("REFUNDED", False)
        assert figures(variant) == (5, 0)
        assert books_are_right()
        again = client_for(user).post(f"/api/orders/{order.pk}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "move_not_allowed")

    def test_not_once_it_is_packed(self) -> None:
        order = bought()
        pack(order_id=order.pk, actor_id=uuid.uuid4())
        with pytest.raises(MoveNotAllowed):
            call_off(order_id=order.pk, actor_id=None)
        order.refresh_from_db()
        assert (order.status, order.refunded) == (OrderStatus.FULFILLED, 0)

    def test_what_cost_nothing(self) -> None:
        variant = on_shelf(5)
        free = replace(line_of(variant, 1), discount=5_000)
        order = placed(None, free)
        settle_free(order.pk)
        assert figures(variant) == (4, 0)
        assert call_off(order_id=order.pk, actor_id=None).status == OrderStatus.REFUNDED
        assert figures(variant) == (5, 0)


@pytest.mark.django_db(transaction=True)
def test_refunds_at_once_never_give_back_more_than_was_bought() -> None:
    variant = on_shelf(10)
    order = bought(None, line_of(variant, 5), shipping=700)
    acts = [lambda: give_back(order, (0, 1)) for _ in range(8)]
    acts += [
        lambda: refund_order(
            order_id=order.pk, amount=None, shipping=True, reason="x", actor_id=uuid.uuid4()
        )
        for _ in range(3)
    ]
    results = together(acts)
    done = [result for result in results if isinstance(result, Refund)]
    refused = [result for result in results if isinstance(result, Exception)]
    assert {type(error) for error in refused} == {Invalid, NothingToRefund}
    assert len(done) == 6
    deliver_and_settle()
    order.refresh_from_db()
    assert (order.status, order.refunded) == (OrderStatus.REFUNDED, order.total)
    assert figures(variant) == (10, 0)
    assert stock_is_right(variant)
    assert books_are_right()


@pytest.mark.django_db(transaction=True)
def test_packing_and_calling_off_at_once_leave_one_of_them() -> None:
    variant = on_shelf(10)
    order = bought(None, line_of(variant, 2))
    together(
        [
            lambda: pack(order_id=order.pk, actor_id=uuid.uuid4()).pk,
            lambda: call_off(order_id=order.pk, actor_id=None).pk,
        ]
    )
    order.refresh_from_db()
    if order.status == OrderStatus.REFUNDED:
        assert not Shipment.objects.exists()
        assert figures(variant) == (10, 0)
    else:
        assert (order.status, order.refunded) == (OrderStatus.FULFILLED, 0)
        assert figures(variant) == (8, 0)
