from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from house.parallel import together
from house.people import client_for, make_user
from house.till import (
    books_are_right,
    checkout,
    deliver_and_settle,
    payment_of,
    press,
    told,
    waiting_jobs,
)
from markethall.flows.checkout import Wanted, cancel_order, same_site, start_checkout
from markethall.flows.comparison import sweep
from markethall.flows.healing import heal
from markethall.flows.reconciliation import ASK_AFTER, look
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments.errors import GatewayUnavailable
from markethall.foundation.payments.gateways.base import ChargeRequest, Checkout
from markethall.foundation.payments.gateways.sandbox import delivery
from markethall.foundation.payments.gateways.sandbox.gateway import SandboxGateway
from markethall.foundation.payments.models import (
    Payment,
    PaymentStatus,
    SandboxCheckout,
)
from markethall.kernel import clock
from markethall.kernel.errors import Invalid
from markethall.kernel.idempotency import IdempotencyMismatch
from markethall.trade.catalog.models import Offer
from markethall.trade.orders.errors import OrderMissing, OrderNotPayable
from markethall.trade.orders.models import Order

pytestmark = pytest.mark.usefixtures("till")
PACK = [Wanted("credits-50")]


def reconcile() -> int:
    """What the periodic job asks the gateway about; how many payments and refunds that were."""
    before = clock.now() - ASK_AFTER
    return heal("sandbox", [], since=before, opened_before=before, tell=lambda _: None).asked


class Cut(BaseException):
    """The process dies here."""


def cut_before(monkeypatch: pytest.MonkeyPatch, target: Any, name: str) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Cut

    monkeypatch.setattr(target, name, die)


@pytest.mark.django_db
class TestStart:
    def test_the_price_is_the_server_s(self) -> None:
        user = make_user()
        started = start_checkout(customer=user, wanted=[Wanted("credits-200", 3)])
        assert (started.order.total, started.order.currency) == (3 * 1499, "USD")
        assert started.payment.amount == SandboxCheckout.objects.get().amount == 3 * 1499
        assert started.payment.status == PaymentStatus.PENDING
        press({"checkoutUrl": started.payment.checkout_url})
        deliver_and_settle()
        assert balance_of(user.pk).balance == 610

    def test_the_same_key_gives_the_same_order_and_page(self) -> None:
        user = make_user()
        first, second = (start_checkout(customer=user, wanted=PACK, key="k") for _ in range(2))
        assert first.order.pk == second.order.pk
        assert first.payment.checkout_url == second.payment.checkout_url
        assert SandboxCheckout.objects.count() == 1

    def test_the_same_key_of_another_person_is_another_order(self) -> None:
        orders = {
            start_checkout(customer=make_user(), wanted=PACK, key="k").order.pk for _ in range(2)
        }
        assert len(orders) == 2

    def test_the_same_key_for_something_else_is_refused(self) -> None:
        user = make_user()
        start_checkout(customer=user, wanted=PACK, key="k")
        with pytest.raises(IdempotencyMismatch):
            start_checkout(customer=user, wanted=[Wanted("credits-500")], key="k")

    def test_the_same_key_after_payment_gives_the_first_answer(self) -> None:
        user = make_user()
        first = start_checkout(customer=user, wanted=PACK, key="k")
        press({"checkoutUrl": first.payment.checkout_url})
        deliver_and_settle()
        again = start_checkout(customer=user, wanted=PACK, key="k")
        assert again.payment.pk == first.payment.pk
        assert balance_of(user.pk).balance == 60

    @pytest.mark.parametrize(
        "wanted", [[], [Wanted("nothing")], [Wanted("credits-50", 0)], [Wanted("credits-50", 101)]]
    )
    def test_what_cannot_be_bought_is_refused(self, wanted: list[Wanted]) -> None:
        with pytest.raises(Invalid):
            start_checkout(customer=make_user(), wanted=wanted)
        assert not Order.objects.exists()

    def test_what_is_not_for_sale_or_of_an_unknown_kind_is_refused(self) -> None:
        Offer.objects.filter(code="credits-50").update(is_active=False)
        Offer.objects.filter(code="credits-200").update(kind="goods")
        for item in ("credits-50", "credits-200"):
            with pytest.raises(Invalid):
                start_checkout(customer=make_user(), wanted=[Wanted(item)])

    def test_two_currencies_do_not_go_into_one_order(self) -> None:
        Offer.objects.filter(code="credits-50").update(currency="EUR")
        with pytest.raises(Invalid, match="separately"):
            start_checkout(customer=make_user(), wanted=[*PACK, Wanted("credits-200")])

    def test_an_order_of_another_person_is_not_there(self) -> None:
        order = start_checkout(customer=make_user(), wanted=PACK).order
        for order_id in (order.pk, uuid.uuid4()):
            with pytest.raises(OrderMissing):
                start_checkout(customer=make_user(), order_id=order_id)

    def test_a_paid_order_is_not_paid_again(self) -> None:
        user = make_user()
        started = start_checkout(customer=user, wanted=PACK)
        press({"checkoutUrl": started.payment.checkout_url})
        deliver_and_settle()
        with pytest.raises(OrderNotPayable):
            start_checkout(customer=user, order_id=started.order.pk)

    def test_an_order_with_an_open_page_gives_that_page(self) -> None:
        user = make_user()
        started = start_checkout(customer=user, wanted=PACK)
        again = start_checkout(customer=user, order_id=started.order.pk)
        assert again.payment.pk == started.payment.pk

    def test_the_return_address_is_of_this_site(self) -> None:
        assert same_site("") == ""
        assert same_site("/plushify?x=1") == "http://testserver/plushify?x=1"
        assert same_site("http://testserver/a") == "http://testserver/a"
        bad = ["https://evil.example", "//evil.example", "/\\evil", "javascript:x", "/a b", "x"]
        for url in bad:
            with pytest.raises(Invalid):
                same_site(url)
        start_checkout(customer=make_user(), wanted=PACK, return_url="/back")
        assert SandboxCheckout.objects.get().return_url == "http://testserver/back"


@pytest.mark.django_db
class TestCrashes:
    def test_cut_off_before_the_gateway_the_same_key_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = make_user()
        with monkeypatch.context() as patch, pytest.raises(Cut):
            cut_before(patch, SandboxGateway, "create_checkout")
            start_checkout(customer=user, wanted=PACK, key="k")
        assert Payment.objects.get().status == PaymentStatus.CREATED
        started = start_checkout(customer=user, wanted=PACK, key="k")
        assert started.order == Order.objects.get()
        assert started.payment.checkout_url

    def test_cut_off_after_the_gateway_the_same_key_finds_its_page(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = make_user()
        from markethall.flows import checkout as flow

        with monkeypatch.context() as patch, pytest.raises(Cut):
            cut_before(patch, flow, "record_opened")
            start_checkout(customer=user, wanted=PACK, key="k")
        started = start_checkout(customer=user, wanted=PACK, key="k")
        assert started.payment.gateway_ref == SandboxCheckout.objects.get().pk

    @pytest.mark.parametrize("after_the_call", [False, True])
    def test_what_nobody_takes_up_again_is_cancelled(
        self,
        after_the_call: bool,
        monkeypatch: pytest.MonkeyPatch,
        turn_clock: Callable[[timedelta], None],
    ) -> None:
        from markethall.flows import checkout as flow

        place = (flow, "record_opened") if after_the_call else (SandboxGateway, "create_checkout")
        with monkeypatch.context() as patch, pytest.raises(Cut):
            cut_before(patch, *place)
            start_checkout(customer=make_user(), wanted=PACK)
        assert reconcile() == 0
        turn_clock(timedelta(minutes=11))
        assert reconcile() == 1
        assert Order.objects.get().status == "CANCELLED"
        assert SandboxCheckout.objects.get().status == "abandoned"
        assert reconcile() == 0

    def test_a_webhook_of_a_payment_not_recorded_yet_waits_for_it(
        self, monkeypatch: pytest.MonkeyPatch, turn_clock: Callable[[timedelta], None]
    ) -> None:
        """The customer paid, but the process died before it recorded the page."""
        user = make_user()
        from markethall.flows import checkout as flow

        with monkeypatch.context() as patch, pytest.raises(Cut):
            cut_before(patch, flow, "record_opened")
            start_checkout(customer=user, wanted=PACK, key="k")
        ref = SandboxCheckout.objects.get().pk
        press({"checkoutUrl": f"/sandbox/pay/{ref}"})
        told()
        turn_clock(timedelta(minutes=11))
        reconcile()
        assert Order.objects.get().status == "FULFILLED"
        assert balance_of(user.pk).balance == 60


@pytest.mark.django_db
class TestReconcile:
    def test_webhooks_that_never_came_are_made_good(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        user = make_user()
        outcomes = {"paid": "FULFILLED", "declined": "PAYMENT_FAILED", "abandoned": "CANCELLED"}
        orders = {}
        for outcome, state in outcomes.items():
            started = checkout(client_for(user))
            press(started, outcome)
            orders[started["orderId"]] = state
        told()
        turn_clock(timedelta(minutes=11))
        assert reconcile() == 3
        found = {str(order.pk): order.status for order in Order.objects.all()}
        assert found == orders
        assert balance_of(user.pk).balance == 60
        assert books_are_right()

    def test_a_second_card_that_nobody_told_of_is_made_good(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        user = make_user()
        started = checkout(client_for(user))
        press(started, "declined")
        deliver_and_settle()
        press(started)
        told()
        turn_clock(timedelta(minutes=11))
        reconcile()
        assert Order.objects.get().status == "FULFILLED"
        assert balance_of(user.pk).balance == 60

    def test_a_declined_page_is_closed_after_a_day(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        press(checkout(client_for(make_user())), "declined")
        deliver_and_settle()
        turn_clock(timedelta(hours=25))
        assert reconcile() == 1
        assert Order.objects.get().status == "CANCELLED"
        assert reconcile() == 0

    def test_an_open_page_is_left_alone_for_a_day(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        checkout(client_for(make_user()))
        turn_clock(timedelta(hours=23))
        reconcile()
        assert Order.objects.get().status == "PENDING"
        turn_clock(timedelta(hours=2))
        reconcile()
        assert Order.objects.get().status == "CANCELLED"

    def test_a_silent_gateway_is_asked_again_later(
        self, monkeypatch: pytest.MonkeyPatch, turn_clock: Callable[[timedelta], None]
    ) -> None:
        started = checkout(client_for(make_user()))
        press(started)
        turn_clock(timedelta(minutes=11))

        def silent(self: SandboxGateway, ref: str) -> None:
            raise GatewayUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(SandboxGateway, "fetch_payment", silent)
            sweep()
        assert Order.objects.get().status == "PENDING"
        sweep()
        assert Order.objects.get().status == "FULFILLED"
        look(Payment.objects.get().pk)

    def test_cancelling_closes_the_page_at_the_gateway(self) -> None:
        user = make_user()
        order = start_checkout(customer=user, wanted=PACK).order
        cancel_order(order_id=order.pk, actor_id=user.pk)
        payment = payment_of(order)
        assert waiting_jobs("close_payment") == [{"payment_id": str(payment.pk)}]
        look(payment.pk, close=True)
        assert SandboxCheckout.objects.get().status == "abandoned"
        assert payment_of(order).status == PaymentStatus.CANCELLED
        with pytest.raises(OrderMissing):
            cancel_order(order_id=uuid.uuid4(), actor_id=user.pk)


@pytest.mark.django_db
class TestGatewayDown:
    def test_a_silent_gateway_is_said_so_and_the_order_goes_on_later(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = client_for(make_user())
        create = SandboxGateway.create_checkout
        calls: list[str] = []

        def silent_once(self: SandboxGateway, request: ChargeRequest) -> Checkout:
            calls.append(request.key)
            if len(calls) == 1:
                raise GatewayUnavailable
            return create(self, request)

        monkeypatch.setattr(SandboxGateway, "create_checkout", silent_once)
        headers = {"Idempotency-Key": "one"}
        buying = {"item": "credits-50"}
        answer = client.post("/api/payments/create-checkout", buying, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
        answer = client.post("/api/payments/create-checkout", buying, headers=headers)
        assert answer.status_code == 201
        assert len(set(calls)) == 1
        assert Order.objects.count() == 1


@pytest.mark.django_db
class TestDelivery:
    """The gateway's side: what is not taken is sent again, later and later, and not for ever."""

    def events(self) -> list[dict[str, Any]]:
        press(checkout(client_for(make_user())))
        return told()

    def answering(self, monkeypatch: pytest.MonkeyPatch, status: int) -> list[httpx.Request]:
        seen: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            if status == 0:
                raise httpx.ConnectError("refused")
            return httpx.Response(status)

        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(delivery, "new_client", lambda: httpx.Client(transport=transport))
        return seen

    def test_what_is_taken_is_not_sent_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        events = self.events()
        seen = self.answering(monkeypatch, 200)
        assert delivery.send(events * 3) == 3
        assert len(seen) == 3
        assert str(seen[0].url) == "http://testserver/api/webhooks/sandbox"
        assert told() == []

    @pytest.mark.parametrize("status", [0, 404, 503])
    def test_what_is_not_taken_is_sent_again(
        self, status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        events = self.events()
        self.answering(monkeypatch, status)
        assert delivery.send(events) == 0
        (job,) = waiting_jobs("send_sandbox_webhooks")
        assert (job["events"], job["attempt"]) == (events, 2)
        told()
        delivery.send(events, attempt=delivery.MAX_ATTEMPTS)
        assert told() == []


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_is_one_order(transactional_db: None) -> None:
    user = make_user()
    acts = [lambda: start_checkout(customer=user, wanted=PACK, key="k")] * 8
    results = together(acts)
    assert not [result for result in results if isinstance(result, Exception)]
    assert len({result.payment.pk for result in results}) == 1
    assert Order.objects.count() == Payment.objects.count() == 1
    assert SandboxCheckout.objects.count() == 1
