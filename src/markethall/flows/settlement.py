"""What a payment's end means for its order. The only place where an order becomes paid.

A webhook is a hint: the gateway is asked for the truth, and the truth is compared with what we
asked for. So late, doubled and reordered events end in the same state, and no event of a wrong
amount pays for anything.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog
from django.db import transaction
from django.db.models import Q

from markethall.flows import chargebacks, customers, fulfilment, mail_tracking, refunds
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.actions import Draft, post_all
from markethall.foundation.ledger.rules import transfer
from markethall.foundation.payments import inbox
from markethall.foundation.payments.actions import (
    mark_succeeded,
    mark_unpaid,
    request_refund,
)
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import (
    ChargeState,
    ChargeTruth,
    Notice,
    NoticeKind,
)
from markethall.foundation.payments.inbox import NotYet, Outcome
from markethall.foundation.payments.models import (
    InboxEvent,
    InboxStatus,
    Payment,
    PaymentStatus,
)
from markethall.foundation.payments.queries import payments_of
from markethall.kernel import events, jobs
from markethall.kernel.locking import lock_row
from markethall.trade.inventory.errors import OutOfStock
from markethall.trade.orders import rules
from markethall.trade.orders.actions import Paid, mark_paid, move
from markethall.trade.orders.errors import OrderNotPayable
from markethall.trade.orders.events import GoodsSold, OrderPaid, OrderPaymentFailed, OrderSoldOut
from markethall.trade.orders.models import Order, OrderLine, OrderStatus

SURPLUS_REASON = "This order was paid already, or is no longer open."
SOLD_OUT_REASON = "Sold out before the payment came."

log = structlog.get_logger(__name__)

_BY_REF = "SELECT * FROM payments_payment WHERE gateway = %s AND gateway_ref = %s LIMIT 1"
_BY_CHARGE = (
    "SELECT * FROM payments_payment WHERE gateway = %s AND charge_ref = %s AND charge_ref <> ''"
    " LIMIT 1"
)


def settle(event: InboxEvent) -> Outcome:
    """Settle one event of the inbox. Raises NotYet, and what the gateway raises."""
    if mail_tracking.is_about_mail(event):
        return mail_tracking.settle(event)
    notice = registry.named(event.provider).read_notice(event.type, event.payload)
    if notice.kind == NoticeKind.PAYMENT:
        return _settle_payment(event, notice)
    if notice.kind == NoticeKind.REFUND:
        return _settle_refund(event, notice)
    if notice.kind == NoticeKind.CHARGEBACK:
        return _settle_chargeback(event, notice)
    if notice.kind == NoticeKind.CUSTOMER_GONE and customers.gone(event.provider, notice.ref):
        return _conclude(event, Outcome(InboxStatus.SETTLED, "The customer is forgotten."), notice)
    return _conclude(event, _ignored(f"Nothing follows from {event.type or 'this'!r}."), notice)


def pay(paid: Sequence[tuple[Order, Payment, ChargeTruth]]) -> set[uuid.UUID]:
    """Orders that wait for it are paid, each by its payment: their goods are secured, the money is
    booked, what was bought is given, the orders move. Both are locked. As many statements for
    many as for one. Returns the orders whose goods are sold out: nothing was done for those."""
    lines = fulfilment.lines_of([order for order, _, _ in paid])
    sold_out = fulfilment.secure(lines)
    if sold_out:
        paid = [each for each in paid if each[0].pk not in sold_out]
        lines = [line for line in lines if line.order_id not in sold_out]
    if paid:
        _pay(paid, lines)
    return sold_out


def _pay(paid: Sequence[tuple[Order, Payment, ChargeTruth]], lines: Sequence[OrderLine]) -> None:
    mark_succeeded([(payment, truth.charge_ref) for _, payment, truth in paid], surplus=False)
    post_all([booking(order, payment) for order, payment, _ in paid])
    with jobs.gathered():
        fulfilled = fulfilment.fulfil(lines)
        mark_paid([Paid(order, payment, order.pk in fulfilled) for order, payment, _ in paid])
        _tell([order for order, _, _ in paid])


def _tell(orders: Sequence[Order]) -> None:
    for order in orders:
        events.publish(OrderPaid(order.pk))
    if sent := tuple(order.pk for order in orders if order.shipping_address is not None):
        events.publish(GoodsSold(sent))


def settle_free(order_id: uuid.UUID) -> Order:
    """Pay an order that costs nothing, without a gateway. The second time changes nothing.

    Raises OutOfStock, and OrderNotPayable for an order that costs something or waits no more.
    """
    with transaction.atomic():
        order = lock_row(Order, order_id)
        if order.paid_at is not None:
            return order
        if order.total or order.status not in rules.PAYABLE:
            raise OrderNotPayable(f"This order is {order.status}, over {order.total_money}.")
        lines = fulfilment.lines_of([order])
        if fulfilment.secure(lines):
            raise OutOfStock(fulfilment.lacking(lines))
        with jobs.gathered():
            fulfilled = fulfilment.fulfil(lines)
            mark_paid([Paid(order, None, order.pk in fulfilled)])
            _tell([order])
    return order


def settle_truth(payment_id: uuid.UUID, truth: ChargeTruth) -> Outcome:
    """Bring a payment and its order to where the gateway says they are. Can run any number of
    times; raises nothing for what the gateway says."""
    payment = Payment.objects.only("reference").get(pk=payment_id)
    with structlog.contextvars.bound_contextvars(**about(payment)):
        with transaction.atomic():
            outcome = _apply(payment, truth)
        log.info("payment settled", status=outcome.status)
    return outcome


def _settle_payment(event: InboxEvent, notice: Notice) -> Outcome:
    payment = payment_of(event.provider, notice)
    if payment is None:
        return _conclude(event, _unknown(notice), notice)
    structlog.contextvars.bind_contextvars(**about(payment))
    if notice.money is not None and notice.money != payment.money:
        text = f"It says {notice.money}, but {payment.money} was asked for."
        return _conclude(event, _parked(text), notice)
    truth = registry.named(event.provider).fetch_payment(payment.gateway_ref)
    if truth.state == ChargeState.OPEN and not notice.is_final:
        return _conclude(event, _ignored("The payment is still open at the gateway."), notice)
    with transaction.atomic():
        return _conclude(event, _apply(payment, truth), notice)


def _settle_refund(event: InboxEvent, notice: Notice) -> Outcome:
    refund = refunds.find(event.provider, notice)
    if refund is None:
        payment = payment_of(event.provider, notice) or _asked(event.provider, notice)
        if payment is None:
            return _conclude(event, _unknown(notice), notice)
        refund = refunds.adopt(payment, notice.refund_ref)
    structlog.contextvars.bind_contextvars(**about(refund.payment), refund_id=str(refund.pk))
    if notice.money is not None and notice.money != refund.money:
        text = f"It says {notice.money}, but {refund.money} was to go back."
        return _conclude(event, _parked(text), notice)
    if refund.gateway_ref and notice.refund_ref != refund.gateway_ref:
        return _conclude(event, _ignored("It is about an earlier try of this refund."), notice)
    refunds.look(refund.pk)
    return _conclude(event, Outcome(InboxStatus.SETTLED, "The refund is on record."), notice)


def _settle_chargeback(event: InboxEvent, notice: Notice) -> Outcome:
    payment = payment_of(event.provider, notice) or _asked(event.provider, notice)
    if payment is None:
        return _conclude(event, _unknown(notice), notice)
    structlog.contextvars.bind_contextvars(**about(payment))
    text = chargebacks.follow(payment, notice.chargeback_ref)
    return _conclude(event, Outcome(InboxStatus.SETTLED, text), notice)


def payment_of(provider: str, notice: Notice) -> Payment | None:
    """Our payment that a webhook is about: by what it was opened with, by its charge, or by the
    id that we gave along."""
    if notice.ref:
        for query in (_BY_REF, _BY_CHARGE):
            for found in Payment.objects.raw(query, [provider, notice.ref]):
                return found
    try:
        key = uuid.UUID(notice.payment_key)
    except ValueError:
        return None
    return Payment.objects.filter(pk=key, gateway=provider).exclude(gateway_ref="").first()


def _asked(provider: str, notice: Notice) -> Payment | None:
    """Our payment, asked of the gateway: one that is not settled yet is not known by its charge."""
    if not notice.is_foreign:
        return None
    gateway = registry.named(provider)
    if notice.chargeback_ref:
        key = gateway.fetch_chargeback(notice.chargeback_ref).payment_key
    else:
        key = gateway.fetch_refund(notice.refund_ref).payment_key
    return payment_of(provider, Notice(notice.kind, payment_key=key)) if key else None


def _unknown(notice: Notice) -> Outcome:
    if notice.is_foreign:
        return _ignored("It carries nothing of ours: another application shares the account.")
    named = notice.refund_ref or notice.chargeback_ref or notice.ref
    return _parked(f"Nothing of ours is known as {named!r}.")


def _apply(seen: Payment, truth: ChargeTruth) -> Outcome:
    """The one decision, under the locks of order and payment in that order; both are read anew
    under them."""
    order = lock_row(Order, seen.reference)
    payment = lock_row(Payment, seen.pk)
    if truth.money != payment.money:
        return _parked(f"The gateway has {truth.money}, but {payment.money} was asked for.")
    if payment.status == PaymentStatus.SUCCEEDED:
        return _ignored("This payment was settled before.")
    if truth.state == ChargeState.SUCCEEDED:
        return _paid(order, payment, truth)
    if truth.state == ChargeState.FAILED:
        return _failed(order, payment, truth.failure)
    if truth.state == ChargeState.CLOSED:
        return _closed(order, payment)
    if truth.state == ChargeState.PROCESSING:
        return _processing(order)
    raise NotYet("The gateway says this payment is still open.")


def _paid(order: Order, payment: Payment, truth: ChargeTruth) -> Outcome:
    if order.status not in rules.PAYABLE:
        _send_back(order, payment, truth, SURPLUS_REASON)
        return Outcome(InboxStatus.SETTLED, f"{SURPLUS_REASON} The money goes back.")
    if not pay([(order, payment, truth)]):
        return paid_outcome(order)
    move(order, OrderStatus.CANCELLED, note=SOLD_OUT_REASON)
    _send_back(order, payment, truth, SOLD_OUT_REASON)
    _close_others(order)
    events.publish(OrderSoldOut(order.pk))
    return Outcome(InboxStatus.SETTLED, f"Order {order.number} is sold out. The money goes back.")


def _send_back(order: Order, payment: Payment, truth: ChargeTruth, reason: str) -> None:
    """Money that pays for nothing is the payer's: it goes back by itself."""
    mark_succeeded([(payment, truth.charge_ref)], surplus=True)
    post_all([booking(order, payment)])
    refunds.send_later(request_refund(payment, amount=None, reason=reason, actor_id=None))


def _close_others(order: Order) -> None:
    """What else was opened for an order that is over is closed at its gateway, by jobs."""
    for other in payments_of(order.pk).exclude(
        status__in=[PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED]
    ):
        jobs.enqueue("close_payment", payment_id=str(other.pk))


def booking(order: Order, payment: Payment) -> Draft:
    """Where the money of a payment comes from, and where it lies now."""
    into = accounts.gateway(payment.gateway, payment.currency)
    source = (
        accounts.owed(payment.currency)
        if payment.is_surplus
        else accounts.sales(order.storefront, payment.currency)
    )
    return Draft(
        key=f"payment:{payment.pk}",
        kind="payment",
        reference=f"order:{order.pk}",
        actor_id=order.customer_id,
        metadata={"orderNumber": order.number, "paymentId": str(payment.pk)},
        postings=transfer(source, into, payment.amount),
    )


def paid_outcome(order: Order) -> Outcome:
    """How the event of a payment ends that has paid its order."""
    return Outcome(InboxStatus.SETTLED, f"Order {order.number} is paid.")


def _failed(order: Order, payment: Payment, failure: str) -> Outcome:
    if payment.status == PaymentStatus.FAILED:
        return _ignored("This failure was settled before.")
    mark_unpaid(payment, PaymentStatus.FAILED, failure)
    if order.status in {OrderStatus.PENDING, OrderStatus.PROCESSING}:
        move(order, OrderStatus.PAYMENT_FAILED, note=failure)
        events.publish(OrderPaymentFailed(order.pk, payment.pk))
    return Outcome(InboxStatus.SETTLED, f"The payment of order {order.number} failed.")


def _closed(order: Order, payment: Payment) -> Outcome:
    if payment.status == PaymentStatus.CANCELLED:
        return _ignored("This payment was closed before.")
    mark_unpaid(payment, PaymentStatus.CANCELLED)
    # A later try that failed can still be paid with another card; ``flows.order_lapse`` ends it.
    is_open = Q(status__in=[PaymentStatus.CREATED, PaymentStatus.PENDING])
    is_open |= Q(status=PaymentStatus.FAILED, pk__gt=payment.pk)
    others = Payment.objects.filter(is_open, reference=order.pk)
    if order.status in rules.PAYABLE and not others.exists():
        move(order, OrderStatus.CANCELLED, note="The payment was abandoned.")
        return Outcome(InboxStatus.SETTLED, f"Order {order.number} is cancelled.")
    return Outcome(InboxStatus.SETTLED, "The payment is closed.")


def _processing(order: Order) -> Outcome:
    if order.status in {OrderStatus.PENDING, OrderStatus.PAYMENT_FAILED}:
        move(order, OrderStatus.PROCESSING)
        return Outcome(InboxStatus.SETTLED, f"The payment of order {order.number} is under way.")
    return _ignored("The order is further than that.")


def _conclude(event: InboxEvent, outcome: Outcome, notice: Notice) -> Outcome:
    outcome = remarked(outcome, notice)
    inbox.conclude([(event, outcome)])
    log.info("event settled", status=outcome.status)
    return outcome


def about(payment: Payment) -> dict[str, str]:
    """What a log line about a payment names it by."""
    return {"payment_id": str(payment.pk), "order_id": str(payment.reference)}


def remarked(outcome: Outcome, notice: Notice) -> Outcome:
    """``outcome`` with what the notice adds for whoever looks at the inbox."""
    if not notice.remark:
        return outcome
    return Outcome(outcome.status, f"{outcome.text} {notice.remark}")


def _parked(text: str) -> Outcome:
    return Outcome(InboxStatus.PARKED, text)


def _ignored(text: str) -> Outcome:
    return Outcome(InboxStatus.IGNORED, text)
