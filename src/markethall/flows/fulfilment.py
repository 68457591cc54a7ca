"""What a paid line becomes, by kind: the one table of what is given and how it is taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markethall.foundation.ledger.actions import (
    credit_grant,
    lock_balance,
    open_wallet,
    post_all,
    take_back_credits,
)
from markethall.foundation.payments.models import Refund
from markethall.kernel import clock, live
from markethall.kernel.errors import Invalid
from markethall.kernel.money import proportion
from markethall.trade.catalog.models import LineKind, Offer
from markethall.trade.inventory import actions as stock
from markethall.trade.inventory.queries import availability_of, reserved_until
from markethall.trade.orders.models import Order, OrderLine, RefundLine, TakeBack

_LINES = "SELECT * FROM orders_orderline WHERE order_id = ANY(%s) ORDER BY id"


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """How lines of one kind are given and taken back, within the caller's transaction.

    ``describe`` gives an order line's ``data`` for an offer. ``fulfil`` gives lines, of many
    orders at once, and returns those for which something is left to do. ``units`` counts what was
    given; ``take_back`` takes up to so many units back for a refund and returns how many it got.
    """

    describe: Callable[[Offer], dict[str, Any]]
    fulfil: Callable[[Sequence[OrderLine]], Sequence[OrderLine]]
    units: Callable[[OrderLine], int]
    take_back: Callable[[OrderLine, int, Refund], int]


def of_kind(kind: str) -> Fulfilment:
    """The fulfilment of a kind of line; raises Invalid for one that is not sold here yet."""
    if kind not in REGISTRY:
        raise Invalid.field("item", f"Nothing of kind {kind!r} can be bought here.")
    return REGISTRY[LineKind(kind)]


def lines_of(orders: Sequence[Order]) -> list[OrderLine]:
    """The lines of locked orders, each with its order, by one statement."""
    by_id = {order.pk: order for order in orders}
    lines = list(OrderLine.objects.raw(_LINES, [list(by_id)]))
    for line in lines:
        line.order = by_id[line.order_id]
    return lines


def secure(lines: Iterable[OrderLine]) -> set[uuid.UUID]:
    """Take what was paid for off the stock, for locked orders; returns the ids of those that
    cannot be had in full, of which nothing was taken. Before money is booked: stock is locked
    before the ledger's accounts."""
    wanted = {order_id: pieces_of(own) for order_id, own in _by_order(lines).items()}
    wanted = {order_id: pieces for order_id, pieces in wanted.items() if pieces}
    return stock.commit(wanted) if wanted else set()


def lacking(lines: Iterable[OrderLine]) -> dict[uuid.UUID, int]:
    """What there is of each variant that an order's lines want more of."""
    pieces = pieces_of(lines)
    found = availability_of(pieces)
    return {
        key: found[key].available for key, wanted in pieces.items() if not found[key].has(wanted)
    }


def reserve(order: Order) -> None:
    """Keep the pieces of a locked order that waits for money, from now on for as long as a checkout
    takes; once more where that has lapsed. Raises OutOfStock."""
    pieces = pieces_of(lines_of([order]))
    if pieces:
        stock.reserve(reference=order.pk, wanted=pieces, expires_at=reserved_until())


def pieces_of(lines: Iterable[OrderLine]) -> dict[uuid.UUID, int]:
    """How many pieces of which variant lines of goods are of."""
    pieces: dict[uuid.UUID, int] = {}
    for line in lines:
        if line.kind == LineKind.GOODS:
            variant_id = _variant(line)
            pieces[variant_id] = pieces.get(variant_id, 0) + line.quantity
    return pieces


def fulfil(lines: Sequence[OrderLine]) -> set[uuid.UUID]:
    """Give what was paid for, all lines of locked orders; returns the ids of the orders with
    nothing left to do.

    Kinds are given in the order of the table, which is the order of their locks.
    """
    of_kinds: dict[Fulfilment, list[OrderLine]] = {kind: [] for kind in REGISTRY.values()}
    for line in lines:
        of_kinds[of_kind(line.kind)].append(line)
    left = [line for kind, own in of_kinds.items() if own for line in kind.fulfil(own)]
    return {line.order_id for line in lines} - {line.order_id for line in left}


def take_back(order: Order, refund: Refund) -> None:
    """Take back what a refund is for, as far as it can be had: of the lines that it names the
    pieces, of others their share of the money.

    ``order.refunded`` has this refund in it. What is due is reckoned on the sum of all refunds, so
    that partial ones add up to the whole. Kinds are taken back in the order of the table, goods
    by variant: the order of their locks.
    """
    named = {row.line_id: row for row in RefundLine.objects.filter(refund=refund)}
    places = {kind: place for place, kind in enumerate(REGISTRY)}
    for line in sorted(
        order.lines.all(),
        key=lambda each: (places[LineKind(each.kind)], each.data.get("variantId", ""), each.pk),
    ):
        line.order = order
        fulfilment = of_kind(line.kind)
        if line.kind == LineKind.GOODS:
            due = named[line.pk].restock if line.pk in named else 0
            if not due:
                continue
        else:
            due = _due(line, fulfilment.units(line), named)
        taken = fulfilment.take_back(line, due, refund) if due else 0
        TakeBack.objects.create(line=line, refund=refund, due=due, taken=taken, at=clock.now())


def return_unsent(order: Order, *, actor_id: uuid.UUID | None) -> None:
    """The pieces of a locked order that cost nothing go back to stock; none of them has left."""
    wanted = pieces_of(order.lines.all())
    if wanted:
        stock.give_back(reference=order.pk, wanted=wanted, actor_id=actor_id)


def _due(line: OrderLine, units: int, named: Mapping[uuid.UUID | None, RefundLine]) -> int:
    """The units of a line that are due back for a refund. What was due before is never due
    again."""
    before = sum(line.taken_back.values_list("due", flat=True))
    order = line.order
    if order.refunded == order.total:
        share = units
    elif named:
        row = named.get(line.pk)
        share = before + (proportion(units, row.quantity, line.quantity) if row else 0)
    else:
        share = proportion(units, order.refunded, order.total)
    return max(0, min(units, share) - before)


def _describe_credits(offer: Offer) -> dict[str, Any]:
    return {"credits": offer.credits}


def _credits_of(line: OrderLine) -> int:
    return int(line.data["credits"]) * line.quantity


def _grant_credits(lines: Sequence[OrderLine]) -> Sequence[OrderLine]:
    open_wallet(*(_owner(line) for line in lines))
    post_all(
        [
            credit_grant(
                user_id=_owner(line),
                amount=_credits_of(line),
                kind="purchase",
                key=f"grant:{line.pk}",
                reference=f"order:{line.order_id}",
                actor_id=_owner(line),
                metadata={
                    "orderId": str(line.order_id),
                    "orderNumber": line.order.number,
                    "pack": line.item,
                    "price": {"amount": line.total, "currency": line.order.currency},
                },
            )
            for line in lines
        ]
    )
    live.send([live.Message("balance", "purchase", _owner(line)) for line in lines])
    return ()


def _take_back_credits(line: OrderLine, due: int, refund: Refund) -> int:
    owner_id = _owner(line)
    taken = min(due, max(0, lock_balance(owner_id)))
    if not taken:
        return 0
    take_back_credits(
        user_id=owner_id,
        amount=taken,
        kind="refund",
        key=f"takeback:{refund.pk}:{line.pk}",
        reference=f"order:{line.order_id}",
        actor_id=refund.actor_id,
        metadata={
            "orderId": str(line.order_id),
            "orderNumber": line.order.number,
            "refundId": str(refund.pk),
            "reason": refund.reason,
            "due": due,
        },
    )
    live.notify("balance", kind="refund", user_id=owner_id)
    return taken


def _no_offer(offer: Offer) -> dict[str, Any]:
    raise Invalid.field("item", "Goods are bought by way of a cart.")


def _to_be_sent(lines: Sequence[OrderLine]) -> Sequence[OrderLine]:
    """The pieces were secured before the money was booked; somebody has to pack them."""
    return lines


def _take_back_pieces(line: OrderLine, due: int, refund: Refund) -> int:
    stock.give_back(reference=line.order_id, wanted={_variant(line): due}, actor_id=refund.actor_id)
    return due


def _variant(line: OrderLine) -> uuid.UUID:
    return uuid.UUID(line.data["variantId"])


def _by_order(lines: Iterable[OrderLine]) -> dict[uuid.UUID, list[OrderLine]]:
    by_order: dict[uuid.UUID, list[OrderLine]] = {}
    for line in lines:
        by_order.setdefault(line.order_id, []).append(line)
    return by_order


def _owner(line: OrderLine) -> uuid.UUID:
    if line.order.customer_id is None:
        raise ValueError("Credits are bought by somebody with an account.")
    return line.order.customer_id


REGISTRY: dict[LineKind, Fulfilment] = {
    LineKind.GOODS: Fulfilment(
        describe=_no_offer,
        fulfil=_to_be_sent,
        units=lambda line: line.quantity,
        take_back=_take_back_pieces,
    ),
    LineKind.CREDITS: Fulfilment(
        describe=_describe_credits,
        fulfil=_grant_credits,
        units=_credits_of,
        take_back=_take_back_credits,
    ),
}
