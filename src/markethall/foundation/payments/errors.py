from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound, Problem

RETRY_AFTER = 10  # seconds, when a gateway says nothing itself


class InvalidSignature(Problem):
    status, code, title = 400, "invalid_signature", "This webhook is not signed as it should be"


class UnknownGateway(NotFound):
    code, title = "unknown_gateway", "There is no such gateway"


class GatewayUnavailable(Problem):
    """The gateway did not answer. What was asked is kept and tried again. ``retry_after`` is in
    seconds, where the gateway said how long."""

    status, code, title = 503, "gateway_unavailable", "The payment gateway does not answer"

    def __init__(self, detail: str = "", *, retry_after: int | None = None) -> None:
        wait = retry_after or RETRY_AFTER
        super().__init__(detail, headers={"Retry-After": str(wait)}, retryAfter=wait)


class GatewayRefused(Conflict):
    code, title = "gateway_refused", "The payment gateway refused this"


class PaymentMissing(NotFound):
    code, title = "payment_not_found", "There is no such payment"


class PaymentClosed(Conflict):
    code, title = "payment_closed", "This payment can no longer be made"


class NothingToRefund(Conflict):
    code, title = "nothing_to_refund", "There is nothing to give back"


class NothingToDecide(Conflict):
    code, title = "nothing_to_decide", "There is nothing to decide about this payment"


class RefundMissing(NotFound):
    code, title = "refund_not_found", "There is no such refund"


class RefundTooLarge(Problem):
    status, code, title = 422, "refund_too_large", "This is more than can be given back"


class EventMissing(NotFound):
    code, title = "event_not_found", "There is no such event in the inbox"
