from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Literal, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from markethall.foundation.payments.errors import GatewayRefused, PaymentMissing
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.foundation.payments.models import SandboxCheckout
from markethall.interfaces.web.errors import problem_response
from markethall.kernel.errors import FieldError, Invalid, Problem

SentT = TypeVar("SentT", bound=BaseModel)
OUTCOMES = {"paid": counter.CARD_OK, "declined": counter.CARD_DECLINED, "abandoned": ""}


class Choice(BaseModel):
    """What the buttons send, and how often the gateway is to tell about it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    outcome: str = Field(pattern="^(paid|declined|abandoned)$")
    deliveries: int = Field(1, ge=1, le=1000)
    delay_seconds: float = Field(0, ge=0, le=86_400)
    shuffle: bool = False
    duplicate: bool = False
    payment_method: str = ""

    @property
    def delivery(self) -> counter.Delivery:
        deliveries = max(self.deliveries, 2) if self.duplicate else self.deliveries
        return counter.Delivery(deliveries, timedelta(seconds=self.delay_seconds), self.shuffle)


class Step(BaseModel):
    """What the payer's bank does: it opens a dispute, and decides it for the shop or against it."""

    step: Literal["opened", "won", "lost"]


@require_safe
@never_cache
def page(request: HttpRequest, ref: str) -> HttpResponse:
    """The payment page."""
    checkout = SandboxCheckout.objects.filter(pk=ref).first()
    if checkout is None:
        raise PaymentMissing
    return _show(request, checkout)


@csrf_exempt
@require_POST
def pay(request: HttpRequest, ref: str) -> HttpResponse:
    """A button was pressed: the gateway keeps it, tells the shop by webhook, and sends the
    browser back."""
    is_json = request.content_type == "application/json"
    try:
        choice = _read(request, is_json, Choice)
        checkout = _conclude(ref, choice)
    except Problem as problem:
        if is_json:
            return problem_response(problem)
        if isinstance(problem, GatewayRefused):
            # Its page says that it is closed, and leads back to the shop.
            return HttpResponseRedirect(f"/sandbox/pay/{ref}", status=303)
        raise
    if is_json:
        answer = {"status": checkout.status, "returnUrl": checkout.return_url}
        return JsonResponse(answer)
    left = checkout.status == "abandoned"
    return HttpResponseRedirect(checkout.cancel_url if left else checkout.return_url, status=303)


@csrf_exempt
@require_POST
def dispute(request: HttpRequest, ref: str) -> HttpResponse:
    """The payer's bank takes the money back, or decides who gets it; the shop hears by webhook."""
    is_json = request.content_type == "application/json"
    try:
        step = _read(request, is_json, Step).step
        if step == "opened":
            checkout = counter.dispute(ref)
        else:
            checkout = counter.decide(ref, for_shop=step == "won")
    except Problem as problem:
        if is_json:
            return problem_response(problem)
        raise
    if is_json:
        return JsonResponse({"dispute": checkout.dispute})
    return HttpResponseRedirect(f"/sandbox/pay/{checkout.pk}", status=303)


def _show(request: HttpRequest, checkout: SandboxCheckout) -> HttpResponse:
    context = {
        "checkout": checkout,
        "can_pay": checkout.status in {"open", "declined"},
        "can_dispute": checkout.status == "paid" and not (checkout.refunded or checkout.dispute),
    }
    return render(request, "sandbox/pay.html", context)


def _conclude(ref: str, choice: Choice) -> SandboxCheckout:
    if choice.outcome == "abandoned":
        return counter.abandon(ref, delivery=choice.delivery)
    method = OUTCOMES[choice.outcome]
    if choice.outcome == "paid" and choice.payment_method:
        method = choice.payment_method
        if method not in counter.PAYMENT_METHODS:
            raise GatewayRefused(
                f"The sandbox knows these cards: {', '.join(counter.PAYMENT_METHODS)}."
            )
    return counter.pay(ref, payment_method=method, delivery=choice.delivery)


def _read(request: HttpRequest, is_json: bool, model: type[SentT]) -> SentT:
    try:
        sent: Any = json.loads(request.body) if is_json else request.POST.dict()
        return model.model_validate(sent)
    except ValidationError as error:
        raise Invalid(
            errors=[
                FieldError(".".join(map(str, item["loc"])), item["msg"], item["type"])
                for item in error.errors()
            ]
        ) from error
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is no JSON.") from error
