"""The sandbox's tools. In production these addresses do not exist."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query

from markethall.foundation.messaging.models import Mail
from markethall.foundation.messaging.queries import links_in, outbox
from markethall.foundation.payments.gateways.sandbox import outage
from markethall.interfaces.api.access import anyone
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import In, Listing, Out, Paging, Time, listing, problems
from markethall.interfaces.jobs.periodic import enqueue_all_periodic
from markethall.kernel import clock
from markethall.kernel.pagination import paginate

routes = router("sandbox")


class MailOut(Out):
    """A mail as its reader gets it. ``links`` are those of the text part."""

    to: str
    subject: str
    html: str
    text: str
    links: list[str]
    sent_at: Time


class ClockOut(Out):
    now: Time
    ahead_seconds: int


class TurnIn(In):
    """How far to turn the clock on; ``reset`` brings it back to real time first."""

    days: Annotated[int, Field(ge=0, le=3650)] = 0
    hours: Annotated[int, Field(ge=0, le=87_600)] = 0
    minutes: Annotated[int, Field(ge=0, le=525_600)] = 0
    reset: bool = False


class GatewayOut(Out):
    """Whether the sandbox gateway is down, and until when by the sandbox's clock."""

    down: bool
    down_until: Time | None


class OutageIn(In):
    """How long the gateway is to be down from now on; 0 ends an outage."""

    down_minutes: Annotated[int, Field(ge=0, le=525_600)]


class OutboxFilter(Paging):
    to: str = Field("", max_length=254, description="The address the mails went to.")


@routes.get("/outbox", auth=anyone, response={200: Listing[MailOut], **problems(422)})
def get_outbox(request: HttpRequest, filters: Query[OutboxFilter]) -> Any:
    """The mails that were written, newest first."""
    page = paginate(
        outbox(filters.to),
        order=["-id"],
        limit=filters.limit,
        cursor=filters.cursor,
    )
    return listing(page, _show)


@routes.get("/clock", auth=anyone, response={200: ClockOut})
def get_clock(request: HttpRequest) -> Any:
    """The sandbox's time, and how far it runs ahead of real time."""
    return _clock()


@routes.post("/clock", auth=anyone, response={200: ClockOut, **problems(400, 413, 422)})
def post_clock(request: HttpRequest, body: TurnIn) -> Any:
    """Turn the clock on. What is due by then is done at once."""
    turn_clock(
        by=timedelta(days=body.days, hours=body.hours, minutes=body.minutes), reset=body.reset
    )
    return _clock()


@routes.get("/gateway", auth=anyone, response={200: GatewayOut})
def get_gateway(request: HttpRequest) -> Any:
    """Whether the sandbox gateway answers."""
    return _gateway()


@routes.post("/gateway", auth=anyone, response={200: GatewayOut, **problems(400, 413, 422)})
def post_gateway(request: HttpRequest, body: OutageIn) -> Any:
    """Let the sandbox gateway be down for a while, or up again: calls are not answered, and its
    webhooks are lost for good. Its pay page goes on taking payments."""
    if body.down_minutes:
        outage.begin(timedelta(minutes=body.down_minutes))
    else:
        outage.end()
    return _gateway()


def _gateway() -> GatewayOut:
    until = outage.until()
    return GatewayOut(down=until is not None, down_until=until)


def turn_clock(*, by: timedelta, reset: bool) -> None:
    """Reset and turn the clock, and enqueue what comes round by itself."""
    if reset:
        clock.reset()
    if by:
        clock.turn(by)
        enqueue_all_periodic()


def _clock() -> ClockOut:
    return ClockOut(now=clock.now(), ahead_seconds=int(clock.offset().total_seconds()))


def _show(mail: Mail) -> MailOut:
    return MailOut(
        to=mail.to,
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        links=links_in(mail),
        sent_at=mail.sent_at or mail.created_at,
    )
