from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.jobs import run_jobs
from house.parallel import together
from house.people import make_user
from house.till import (
    books_are_right,
    buy,
    deliver_and_settle,
    payment_of,
    post_event,
    told,
    waiting_jobs,
    yen_pack,
)
from markethall.flows.refunds import (
    adopt,
    look,
    refund_order,
    refund_payment,
    retry,
    send,
    send_forgotten,
)
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.actions import capture_hold, open_hold
from markethall.foundation.ledger.queries import balance_of, history_of, system_balance
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.errors import (
    GatewayUnavailable,
    NothingToRefund,
    PaymentMissing,
    RefundTooLarge,
)
from markethall.foundation.payments.gateways.base import RefundState, RefundTruth
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.foundation.payments.gateways.sandbox.gateway import SandboxGateway
from markethall.foundation.payments.inbox import NotYet
from markethall.foundation.payments.models import (
    InboxEvent,
    Payment,
    Refund,
    RefundStatus,
    SandboxCheckout,
    SandboxRefund,
)
from markethall.kernel.errors import Invalid
from markethall.kernel.idempotency import IdempotencyMismatch
from markethall.kernel.money import Money
from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.models import Order, OrderStatus, TakeBack

pytestmark = pytest.mark.usefixtures("till")


def spend(user: User, amount: int) -> None:
    capture_hold(open_hold(user_id=user.pk, amount=amount, key=f"test:{uuid.uuid4()}"))


def give_back(order: Order, amount: int | None = None, **extra: Any) -> Refund:
    values = {"reason": "Changed their mind", "actor_id": uuid.uuid4(), **extra}
    return refund_order(order_id=order.pk, amount=amount, **values)


@pytest.fixture
def user() -> User:
    return make_user(credits=0)


@pytest.mark.django_db
class TestWhole:
    def test_everything_goes_back_the_way_it_came(self, user: User) -> None:
        order = buy(user)
        refund = give_back(order)
        assert refund.status == RefundStatus.SUCCEEDED
        order.refresh_from_db()
        assert (order.status, order.refunded) == (OrderStatus.REFUNDED, 499)
        assert balance_of(user.pk).balance == 0
        row = history_of(user.pk).order_by("-id")[0]
        assert (row.transaction.kind, row.amount) == ("refund", -50)
        assert system_balance(accounts.gateway("sandbox", "USD")) == 0
        assert system_balance(accounts.sales("plushify", "USD")) == 0
        assert SandboxCheckout.objects.get().refunded == 499
        mail = Mail.objects.get(template="refund")
        assert "$4.99" in mail.subject
        assert "50 unspent credits" in mail.text
        assert AuditEntry.objects.get(action="payments.refund").data["amount"] == 499
        assert books_are_right()

    def test_the_webhook_of_a_refund_settles_it_once(self, user: User) -> None:
        order = buy(user)
        give_back(order)
        before = balance_of(user.pk)
        deliver_and_settle()
        event = InboxEvent.objects.get(type="refund.succeeded")
        assert event.status == "settled"
        assert balance_of(user.pk) == before
        assert Order.objects.get().refunded == 499
        assert books_are_right()

    def test_spent_credits_are_not_taken_and_that_is_on_record(self, user: User) -> None:
        order = buy(user)
        spend(user, 45)
        give_back(order)
        assert balance_of(user.pk).balance == 0
        row = TakeBack.objects.get()
        assert (row.due, row.taken) == (50, 5)
        assert Order.objects.get().status == OrderStatus.REFUNDED
        assert books_are_right()

    def test_with_nothing_left_nothing_is_taken(self, user: User) -> None:
        order = buy(user)
        spend(user, 50)
        give_back(order)
        assert balance_of(user.pk).balance == 0
        assert TakeBack.objects.get().taken == 0
        assert "unspent" not in Mail.objects.get(template="refund").text

    def test_yen_go_back_in_yen(self, user: User) -> None:
        yen_pack()
        order = buy(user, "credits-yen")
        give_back(order, 100)
        assert balance_of(user.pk).balance == 60
        assert system_balance(accounts.gateway("sandbox", "JPY")) == 600
        assert "¥100" in Mail.objects.get(template="refund").subject


@pytest.mark.django_db
class TestParts:
    def test_parts_add_up_to_the_whole(self, user: User) -> None:
        order = buy(user)
        for amount in (100, 100, 100, 100):
            give_back(order, amount)
            order.refresh_from_db()
            assert order.status == OrderStatus.FULFILLED
        with pytest.raises(RefundTooLarge, match=r"\$0\.99"):
            give_back(order, 100)
        give_back(order)
        order.refresh_from_db()
        assert (order.status, order.refunded) == (OrderStatus.REFUNDED, 499)
        assert sum(TakeBack.objects.values_list("taken", flat=True)) == 50
        assert balance_of(user.pk).balance == 0
        with pytest.raises(NothingToRefund):
            give_back(order)
        assert books_are_right()

    def test_a_part_takes_its_share_and_no_more(self, user: User) -> None:
        order = buy(user)
        give_back(order, 1)
        assert balance_of(user.pk).balance == 50
        give_back(order, 249)
        assert balance_of(user.pk).balance == 25

    def test_the_same_key_refunds_once(self, user: User) -> None:
        order = buy(user)
        first, second = (give_back(order, 100, key="k") for _ in range(2))
        assert first.pk == second.pk
        assert give_back(order, key="k").pk == first.pk
        with pytest.raises(IdempotencyMismatch):
            give_back(order, 200, key="k")
        assert Order.objects.get().refunded == 100

    def test_by_payment(self, user: User) -> None:
        order = buy(user)
        values = {"amount": 100, "reason": "x", "actor_id": uuid.uuid4()}
        refund_payment(payment_id=order.payment_id, **values)
        assert Order.objects.get().refunded == 100
        with pytest.raises(PaymentMissing):
            refund_payment(payment_id=uuid.uuid4(), **values)


@pytest.mark.django_db
class TestRefused:
    def test_what_makes_no_sense(self, user: User) -> None:
        order = buy(user)
        with pytest.raises(Invalid):
            give_back(order, 0)
        with pytest.raises(Invalid):
            give_back(order, reason="  ")
        with pytest.raises(OrderMissing):
            refund_order(order_id=uuid.uuid4(), amount=1, reason="x", actor_id=uuid.uuid4())
        assert not Refund.objects.exists()

    def test_an_unpaid_order_has_nothing_to_give_back(self, user: User) -> None:
        order = buy(user, outcome="declined")
        with pytest.raises(NothingToRefund):
            give_back(order)
        with pytest.raises(NothingToRefund):
            refund_payment(
                payment_id=Payment.objects.get().pk,
                amount=None,
                reason="x",
                actor_id=uuid.uuid4(),
            )

    def test_a_refund_the_bank_refuses_is_shown_and_can_be_tried_again(self, user: User) -> None:
        order = buy(user)
        SandboxCheckout.objects.update(payment_method=counter.CARD_NO_REFUNDS)
        refund = give_back(order)
        assert (refund.status, refund.failure[:8]) == (RefundStatus.FAILED, "The card")
        assert Payment.objects.get().refunded == Order.objects.get().refunded == 0
        assert balance_of(user.pk).balance == 50
        SandboxCheckout.objects.update(payment_method=counter.CARD_OK)
        admin = make_user(role="admin")
        assert retry(refund_id=refund.pk, actor_id=admin.pk).status == RefundStatus.SUCCEEDED
        assert Order.objects.get().status == OrderStatus.REFUNDED
        with pytest.raises(NothingToRefund):
            retry(refund_id=refund.pk, actor_id=admin.pk)

    def test_a_retry_that_others_left_no_room_for_is_refused(self, user: User) -> None:
        order = buy(user)
        SandboxCheckout.objects.update(payment_method=counter.CARD_NO_REFUNDS)
        refund = give_back(order)
        SandboxCheckout.objects.update(payment_method=counter.CARD_OK)
        give_back(order, 1)
        with pytest.raises(RefundTooLarge):
            retry(refund_id=refund.pk, actor_id=uuid.uuid4())

    def test_a_gateway_that_refuses_fails_the_refund(self, user: User) -> None:
        order = buy(user)
        SandboxCheckout.objects.update(refunded=400)
        refund = give_back(order)
        assert (refund.status, refund.failure) == (
            RefundStatus.FAILED,
            "This is more than was paid.",
        )
        SandboxCheckout.objects.update(status="open")
        assert give_back(order).failure.startswith("This payment has nothing")

    def test_a_refund_webhook_of_another_amount_is_parked(self, user: User) -> None:
        give_back(buy(user))
        (event,) = told()
        event["data"]["amount"] = 1
        post_event(event)
        settle_inbox()
        assert InboxEvent.objects.get(type="refund.succeeded").status == "parked"


@pytest.mark.django_db
class TestCrashes:
    def test_a_silent_gateway_leaves_an_intent_that_a_job_finds(
        self,
        user: User,
        monkeypatch: pytest.MonkeyPatch,
        turn_clock: Callable[[timedelta], None],
    ) -> None:
        order = buy(user)

        def silent(self: SandboxGateway, ref: str, **_: Any) -> None:
            raise GatewayUnavailable

        with monkeypatch.context() as patch, pytest.raises(GatewayUnavailable):
            patch.setattr(SandboxGateway, "refund", silent)
            give_back(order, 100, key="k")
        refund = Refund.objects.get()
        assert refund.status == RefundStatus.REQUESTED
        with pytest.raises(RefundTooLarge):
            give_back(order, 400)
        assert send_forgotten() == 0
        turn_clock(timedelta(minutes=6))
        assert send_forgotten() == 1
        assert waiting_jobs("send_refund") == [{"refund_id": str(refund.pk)}]
        for _ in range(2):
            assert send(refund.pk).status == RefundStatus.SUCCEEDED
        assert Order.objects.get().refunded == 100
        assert give_back(order, 100, key="k").pk == refund.pk

    def test_cut_off_after_the_gateway_the_money_goes_back_once(
        self, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from markethall.flows import refunds

        order = buy(user)

        def die(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(refunds, "_record", die)
            give_back(order)
        assert SandboxRefund.objects.count() == 1
        deliver_and_settle()
        assert Refund.objects.get().status == RefundStatus.SUCCEEDED
        assert Order.objects.get().status == OrderStatus.REFUNDED
        assert SandboxRefund.objects.count() == 1
        assert balance_of(user.pk).balance == 0


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_parallel_refunds_never_exceed_what_was_paid(
        self, transactional_db: None, user: User
    ) -> None:
        order = buy(user)
        results = together([lambda: give_back(order, 300)] * 4)
        assert sum(isinstance(result, Refund) for result in results) == 1
        assert sum(isinstance(result, RefundTooLarge) for result in results) == 3
        assert SandboxCheckout.objects.get().refunded == Order.objects.get().refunded == 300
        assert balance_of(user.pk).balance == 20
        assert books_are_right()

    def test_the_answer_and_the_job_at_once_record_once(
        self, transactional_db: None, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from markethall.flows import refunds

        order = buy(user)
        with monkeypatch.context() as patch:
            patch.setattr(refunds, "send", lambda refund_id: Refund.objects.get(pk=refund_id))
            refund = give_back(order)
        results = together([lambda: send(refund.pk)] * 6)
        assert {result.status for result in results} == {RefundStatus.SUCCEEDED}
        assert SandboxRefund.objects.count() == TakeBack.objects.count() == 1
        run_jobs()
        assert balance_of(user.pk).balance == 0
        assert Mail.objects.filter(template="refund").count() == 1
        assert books_are_right()


@pytest.mark.django_db
class TestMadeAtTheGateway:
    """Refunds that somebody made at the gateway's own pages."""

    @pytest.mark.parametrize(
        ("money", "says"),
        [
            (None, "names no amount"),
            (Money(100, "EUR"), "no amount in the payment's currency"),
            (Money(500, "USD"), "more than was paid"),
        ],
    )
    def test_what_cannot_be_ours_waits(
        self, user: User, money: Money | None, says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = self.told_of(buy(user), money, monkeypatch)
        with pytest.raises(NotYet, match=says):
            adopt(payment, "re_by_hand")
        assert not Refund.objects.exists()

    def test_of_a_payment_that_is_not_settled_waits(
        self, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = buy(user, outcome="declined")
        payment = self.told_of(order, Money(100, "USD"), monkeypatch)
        with pytest.raises(NotYet, match="not settled"):
            adopt(payment, "re_by_hand")

    def test_is_adopted_once_and_takes_its_share(
        self, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = buy(user)
        payment = self.told_of(order, Money(499, "USD"), monkeypatch)
        first, second = adopt(payment, "re_by_hand"), adopt(payment, "re_by_hand")
        assert (first.pk, first.amount) == (second.pk, 499)
        look(first.pk)
        order.refresh_from_db()
        assert (order.status, balance_of(user.pk).balance) == ("REFUNDED", 0)
        assert books_are_right()

    @staticmethod
    def told_of(order: Order, money: Money | None, monkeypatch: pytest.MonkeyPatch) -> Payment:
        """The order's payment, of which the gateway says that so much went back by hand."""

        def fetch(self: SandboxGateway, ref: str) -> RefundTruth:
            return RefundTruth(ref, RefundState.SUCCEEDED, money=money)

        monkeypatch.setattr(SandboxGateway, "fetch_refund", fetch)
        return payment_of(order)
