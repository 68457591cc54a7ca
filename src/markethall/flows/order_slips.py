"""Papers for whoever packs: what to fetch, and what goes into each parcel."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings

from markethall.flows.order_sheet import address_lines
from markethall.kernel import clock
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders import packing
from markethall.trade.orders.models import Order, OrderLine
from markethall.trade.orders.packing import PickRow, Slip
from markethall.trade.orders.pieces import goods_of, pieces_of


def pick_list(order_ids: Iterable[uuid.UUID]) -> bytes:
    """The pieces of these orders that lie in no parcel yet, together, as a PDF."""
    lines = list(goods_of(order_ids).select_related("order"))
    pieces = pieces_of(lines)
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
    for line in lines:
        if to_pack := pieces[line.pk].to_pack:
            found[(line.item, line.name, _chosen(line))].append((to_pack, line.order.number))
    rows = [
        PickRow(
            code=code,
            name=name,
            detail=detail,
            quantity=sum(number for number, _ in wanted),
            orders=[number for _, number in wanted],
        )
        for (code, name, detail), wanted in sorted(found.items())
    ]
    return packing.pick_list(rows, clock.now())


def packing_slips(order_ids: Iterable[uuid.UUID]) -> bytes:
    """A page for each of these orders with what its buyer gets, as a PDF."""
    lines = list(goods_of(order_ids).select_related("order"))
    pieces = pieces_of(lines)
    wanted: dict[Order, list[OrderLine]] = defaultdict(list)
    for line in lines:
        if pieces[line.pk].kept:
            wanted[line.order].append(line)
    slips = [
        Slip(
            number=order.number,
            storefront=shop.name,
            accent=shop.accent,
            site=f"{settings.SITE_URL}{shop.path}",
            address=address_lines(order.shipping_address or {}),
            method=order.shipping_method,
            note=order.customer_note,
            lines=[(pieces[line.pk].kept, line.name, _chosen(line)) for line in own],
        )
        for order, own in wanted.items()
        for shop in [storefront(order.storefront)]
    ]
    return packing.packing_slips(slips, clock.now())


def _chosen(line: OrderLine) -> str:
    return " · ".join(f"{name}: {value}" for name, value in line.data.get("shown", []))
