from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.jobs import run_jobs
from house.parallel import together
from house.people import make_user
from house.shelf import figures, item_of, on_shelf, stock_is_right
from markethall.kernel import clock, jobs
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.models import Variant
from markethall.trade.inventory import actions, rules
from markethall.trade.inventory.errors import (
    OutOfStock,
    StockItemMissing,
    StockListInvalid,
    StockReserved,
)
from markethall.trade.inventory.models import (
    Reservation,
    ReservationState,
    StockItem,
    StockMove,
    StockReason,
)
from markethall.trade.inventory.queries import availability_of, reserved_until

Turn = Callable[[timedelta], None]


def reserve(wanted: dict[Variant, int], reference: uuid.UUID | None = None) -> uuid.UUID:
    reference = reference or uuid.uuid4()
    pieces = {variant.pk: count for variant, count in wanted.items()}
    actions.reserve(reference=reference, wanted=pieces, expires_at=reserved_until())
    return reference


def commit(reference: uuid.UUID, wanted: dict[Variant, int]) -> bool:
    pieces = {variant.pk: count for variant, count in wanted.items()}
    return not actions.commit({reference: pieces})


def available(variant: Variant, reference: uuid.UUID | None = None) -> int:
    return availability_of([variant.pk], reference=reference)[variant.pk].available


@pytest.mark.django_db
class TestReserving:
    def test_all_of_it_or_none(self) -> None:
        ring, chain = on_shelf(2), on_shelf(1)
        with pytest.raises(OutOfStock) as refused:
            reserve({ring: 2, chain: 3})
        assert refused.value.available == {chain.pk: 1}
        assert [(e.path, e.message) for e in refused.value.errors] == [
            (str(chain.pk), "Only 1 is left.")
        ]
        assert figures(ring) == (2, 0)
        reserve({ring: 2, chain: 1})
        assert (figures(ring), figures(chain)) == ((2, 2), (1, 1))
        assert stock_is_right()

    def test_a_first_one_is_one_statement(self) -> None:
        rings = {on_shelf(5): 1 for _ in range(4)}
        with CaptureQueriesContext(connection) as seen:
            reserve(rings)
        assert len([query for query in seen if "SAVEPOINT" not in query["sql"]]) == 1

    def test_a_second_one_of_the_same_order_replaces_the_first(self) -> None:
        ring, chain = on_shelf(3), on_shelf(3)
        reference = reserve({ring: 3})
        reserve({ring: 2, chain: 1}, reference)
        assert (figures(ring), figures(chain)) == ((3, 2), (3, 1))
        reserve({chain: 3}, reference)
        assert (figures(ring), figures(chain)) == ((3, 0), (3, 3))
        assert stock_is_right()

    def test_a_second_one_that_cannot_be_had_leaves_the_first(self) -> None:
        ring = on_shelf(3)
        reference = reserve({ring: 2})
        with pytest.raises(OutOfStock):
            reserve({ring: 4}, reference)
        assert figures(ring) == (3, 2)
        assert stock_is_right()

    def test_what_is_made_to_order_never_runs_out(self) -> None:
        ring = on_shelf(0, is_counted=False)
        reference = reserve({ring: 500})
        assert commit(reference, {ring: 500})
        assert figures(ring) == (0, 0)
        assert availability_of([ring.pk])[ring.pk].has(10_000)
        assert StockMove.objects.filter(change__lt=0).count() == 0

    def test_a_variant_without_stock_is_sold_out(self) -> None:
        ring = on_shelf()
        StockMove.objects.all().delete()
        StockItem.objects.all().delete()
        assert available(ring) == 0
        with pytest.raises(OutOfStock, match="not enough") as refused:
            reserve({ring: 1})
        assert refused.value.errors[0].message == "This is sold out."

    def test_availability_is_one_statement(self) -> None:
        rings = [on_shelf(number) for number in range(5)]
        with CaptureQueriesContext(connection) as seen:
            found = availability_of(ring.pk for ring in rings)
        assert len(seen) == 1
        assert [found[ring.pk].available for ring in rings] == [0, 1, 2, 3, 4]


@pytest.mark.django_db
class TestLapsing:
    def test_lapsed_pieces_are_anybody_s_who_needs_them(self, turn_clock: Turn) -> None:
        ring = on_shelf(2)
        first = reserve({ring: 2})
        turn_clock(timedelta(minutes=29))
        assert available(ring) == 0
        with pytest.raises(OutOfStock):
            reserve({ring: 1})
        turn_clock(timedelta(minutes=1))
        assert available(ring) == 2
        second = reserve({ring: 2})
        assert figures(ring) == (2, 2)
        assert commit(second, {ring: 2})
        assert not commit(first, {ring: 2})
        assert figures(ring) == (0, 0)
        assert stock_is_right()

    def test_whoever_pays_late_keeps_what_nobody_else_took(self, turn_clock: Turn) -> None:
        ring = on_shelf(2)
        late = reserve({ring: 2})
        turn_clock(timedelta(days=2))
        assert commit(late, {ring: 2})
        assert figures(ring) == (0, 0)

    def test_after_the_job_too(self, turn_clock: Turn) -> None:
        ring = on_shelf(2)
        late = reserve({ring: 2})
        turn_clock(timedelta(hours=1))
        assert actions.lapse() == 1
        assert actions.lapse() == 0
        assert figures(ring) == (2, 0)
        assert commit(late, {ring: 2})
        assert stock_is_right()

    def test_one_s_own_pieces_stand_in_nobody_s_way(self) -> None:
        ring = on_shelf(2)
        reference = reserve({ring: 2})
        assert (available(ring), available(ring, reference)) == (0, 2)

    def test_a_checkout_keeps_its_pieces_as_long_as_was_set(self, settings: Any) -> None:
        environment = settings.ENVIRONMENT.model_copy(update={"reservation_minutes": 5})
        settings.ENVIRONMENT = environment
        assert reserved_until() - clock.now() < timedelta(minutes=5, seconds=1)


@pytest.mark.django_db(transaction=True)
def test_a_job_lets_lapse_what_is_over(turn_clock: Turn) -> None:
    ring = on_shelf(1)
    reserve({ring: 1})
    turn_clock(timedelta(hours=1))
    jobs.enqueue("lapse_reservations", timestamp=0)
    run_jobs()
    assert figures(ring) == (1, 0)


@pytest.mark.django_db
class TestSelling:
    def test_pieces_leave_for_good_with_an_entry(self) -> None:
        ring = on_shelf(5)
        reference = reserve({ring: 2})
        assert commit(reference, {ring: 2})
        assert figures(ring) == (3, 0)
        move = StockMove.objects.get(reason="sold")
        assert (move.change, move.on_hand, move.reference) == (-2, 3, reference)
        assert Reservation.objects.get().state == ReservationState.COMMITTED
        assert stock_is_right()

    def test_the_second_time_changes_nothing(self) -> None:
        ring = on_shelf(5)
        reference = reserve({ring: 2})
        assert commit(reference, {ring: 2})
        assert commit(reference, {ring: 2})
        actions.release([reference])
        assert figures(ring) == (3, 0)

    def test_many_orders_at_once_need_as_many_statements_as_one(self) -> None:
        ring, chain = on_shelf(20), on_shelf(20)
        counts = []
        for number in (1, 7):
            orders = {
                reserve({ring: 1, chain: 2}): {ring.pk: 1, chain.pk: 2} for _ in range(number)
            }
            with CaptureQueriesContext(connection) as seen:
                assert actions.commit(orders) == set()
            counts.append(len(seen))
        assert counts[0] == counts[1]
        assert (figures(ring), figures(chain)) == ((12, 0), (4, 0))
        levels = StockMove.objects.filter(item=chain.pk).order_by("pk")
        assert [move.on_hand for move in levels] == [20, 18, 16, 14, 12, 10, 8, 6, 4]
        assert stock_is_right()

    def test_of_many_orders_only_those_go_without_that_must(self, turn_clock: Turn) -> None:
        ring, chain = on_shelf(3), on_shelf(1)
        holder = reserve({ring: 1})
        late = [uuid.uuid4() for _ in range(3)]
        orders = {
            late[0]: {ring.pk: 2, chain.pk: 2},
            late[1]: {ring.pk: 2},
            late[2]: {ring.pk: 1},
            holder: {ring.pk: 1},
        }
        assert actions.commit(orders) == {late[0], late[2]}
        assert (figures(ring), figures(chain)) == ((0, 0), (1, 0))
        assert stock_is_right()

    def test_what_others_let_lapse_serves_a_late_payment(self, turn_clock: Turn) -> None:
        ring = on_shelf(1)
        first = reserve({ring: 1})
        turn_clock(timedelta(hours=1))
        second = uuid.uuid4()
        assert commit(second, {ring: 1})
        assert not commit(first, {ring: 1})
        assert stock_is_right()

    def test_what_is_given_back_is_there_again(self) -> None:
        ring, made = on_shelf(2), on_shelf(0, is_counted=False)
        reference = reserve({ring: 2, made: 1})
        commit(reference, {ring: 2, made: 1})
        wanted = {ring.pk: 1, made.pk: 1}
        actions.give_back(reference=reference, wanted=wanted, actor_id=None)
        assert (figures(ring), figures(made)) == ((1, 0), (0, 0))
        move = StockMove.objects.get(reason="returned")
        assert (move.item_id, move.change, move.on_hand) == (ring.pk, 1, 1)
        assert stock_is_right()


@pytest.mark.django_db
class TestAdjusting:
    def test_a_level_is_set_or_changed_with_who_and_why(self) -> None:
        ring, admin = on_shelf(5), make_user(role="admin")
        by = {"variant_id": ring.pk, "actor_id": admin.pk}
        actions.adjust(level=9, reason=StockReason.COUNTED, note="Inventory", **by)
        actions.adjust(change=-2, reason=StockReason.DAMAGED, **by)
        assert figures(ring) == (7, 0)
        counted, damaged = StockMove.objects.filter(actor_id=admin.pk).order_by("pk")
        assert (counted.change, counted.on_hand, counted.note) == (4, 9, "Inventory")
        assert (damaged.change, damaged.on_hand, damaged.reason) == (-2, 7, "damaged")
        assert stock_is_right()

    @pytest.mark.parametrize(
        "to",
        [
            {"level": -1},
            {"change": -6},
            {"level": rules.MAX_LEVEL + 1},
            {},
            {"level": 1, "change": 1},
        ],
    )
    def test_nonsense_is_refused(self, to: dict[str, int]) -> None:
        ring = on_shelf(5)
        with pytest.raises(Invalid):
            actions.adjust(
                variant_id=ring.pk, reason=StockReason.OTHER, actor_id=make_user().pk, **to
            )
        assert figures(ring) == (5, 0)

    def test_not_below_what_open_checkouts_hold_until_it_lapses(self, turn_clock: Turn) -> None:
        ring, admin = on_shelf(5), make_user(role="admin")
        reserve({ring: 3})
        to = {"variant_id": ring.pk, "level": 2, "reason": StockReason.LOST, "actor_id": admin.pk}
        with pytest.raises(StockReserved):
            actions.adjust(**to)
        turn_clock(timedelta(minutes=31))
        assert actions.adjust(**to).on_hand == 2
        assert stock_is_right()

    def test_a_variant_there_is_not_has_no_stock(self) -> None:
        with pytest.raises(StockItemMissing):
            actions.ensure_item(uuid.uuid4())
        with pytest.raises(StockItemMissing):
            actions.adjust(
                variant_id=uuid.uuid4(), level=1, reason=StockReason.OTHER, actor_id=uuid.uuid4()
            )

    def test_low_is_since_when_there_were_so_few(self, turn_clock: Turn) -> None:
        ring, admin = on_shelf(5), make_user(role="admin")
        actions.change_item(variant_id=ring.pk, low_at=2, actor_id=admin.pk)
        assert item_of(ring).low_since is None
        reference = reserve({ring: 3})
        since = item_of(ring).low_since
        assert since is not None
        turn_clock(timedelta(minutes=1))
        commit(reference, {ring: 3})
        assert item_of(ring).low_since == since
        actions.adjust(variant_id=ring.pk, change=8, reason=StockReason.RECEIVED, actor_id=admin.pk)
        assert item_of(ring).low_since is None

    def test_what_is_reserved_must_be_there_once_it_is_counted(self) -> None:
        made, admin = on_shelf(0, is_counted=False), make_user(role="admin")
        reserve({made: 2})
        with pytest.raises(StockReserved):
            actions.change_item(variant_id=made.pk, is_counted=True, actor_id=admin.pk)


@pytest.mark.django_db
class TestReceiving:
    def test_a_list_adds_what_came(self) -> None:
        ring, chain, admin = on_shelf(1), on_shelf(2), make_user(role="admin")
        text = f'\ufeffSKU;Pieces\n{ring.sku}; 4\n\n"{chain.sku}";3\n{ring.sku}\t1\n'
        assert actions.receive_list(text=text, note="Delivery 7", actor_id=admin.pk) == 2
        assert (figures(ring), figures(chain)) == ((6, 0), (5, 0))
        assert StockMove.objects.filter(note="Delivery 7", reason="received").count() == 2

    def test_of_a_faulty_list_nothing_is_taken_in(self) -> None:
        ring, admin = on_shelf(1), make_user(role="admin")
        text = f"{ring.sku},2\nNOSUCH,1\n{ring.sku},-3\n{ring.sku}\n"
        with pytest.raises(StockListInvalid) as refused:
            actions.receive_list(text=text, actor_id=admin.pk)
        assert [error.path for error in refused.value.errors] == ["list.3", "list.4", "list"]
        assert figures(ring) == (1, 0)

    def test_an_empty_list_is_no_list(self) -> None:
        with pytest.raises(StockListInvalid):
            actions.receive_list(text=" \n", actor_id=make_user().pk)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_thirty_two_buyers_get_exactly_what_there_is(self) -> None:
        ring = on_shelf(100)
        got: list[uuid.UUID] = []

        def buy(tries: int) -> int:
            sold = 0
            for _ in range(tries):
                try:
                    reference = reserve({ring: 1})
                except OutOfStock:
                    continue
                got.append(reference)
                sold += commit(reference, {ring: 1})
            return sold

        tries = [10] * 12 + [9] * 20
        results = together([lambda n=n: buy(n) for n in tries])
        assert sum(tries) == 300
        assert not [result for result in results if isinstance(result, Exception)]
        assert sum(result for result in results if isinstance(result, int)) == 100
        assert figures(ring) == (0, 0)
        assert StockMove.objects.filter(reason="sold").count() == 100
        assert stock_is_right()

    def test_whatever_they_do_in_whatever_order(self) -> None:
        shelf = [on_shelf(7) for _ in range(5)]

        def act(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(12):
                wanted = {ring: chance.randint(1, 3) for ring in chance.sample(shelf, 3)}
                try:
                    reference = reserve(wanted)
                except OutOfStock:
                    continue
                what = chance.random()
                if what < 0.3:
                    assert commit(reference, wanted)
                elif what < 0.6:
                    actions.release([reference])
                elif what < 0.8:
                    fewer = dict.fromkeys(wanted, 1)
                    reserve(fewer, reference)
                    actions.release([reference])
                else:
                    actions.lapse()

        results = together([lambda seed=seed: act(seed) for seed in range(16)])
        assert [result for result in results if isinstance(result, Exception)] == []
        assert stock_is_right()
