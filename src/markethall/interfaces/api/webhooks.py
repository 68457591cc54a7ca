from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Status

from markethall.content.imaging.providers.replicate_webhook import ended_prediction
from markethall.flows import mail_tracking
from markethall.flows.generation import hear_of_prediction
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.payments import inbox
from markethall.foundation.payments.models import InboxEvent
from markethall.foundation.payments.queries import inbox_events
from markethall.interfaces.api.access import anyone, staff
from markethall.interfaces.api.core import router
from markethall.interfaces.api.payments import routes as payment_routes
from markethall.interfaces.api.schemas import Listing, Out, Paging, Time, listing, problems
from markethall.kernel.pagination import paginate

routes = router("webhooks")


class Taken(Out):
    received: bool


class InboxEventOut(Out):
    """A verified webhook and what became of it. ``parked`` waits for a person, ``dead`` failed
    too often; both can be replayed."""

    id: UUID
    provider: str
    event_id: str
    type: str
    status: Literal["received", "settled", "ignored", "parked", "dead"]
    outcome: str
    attempts: int
    deliveries: int
    payload: dict[str, Any]
    received_at: Time
    due_at: Time
    settled_at: Time | None

    @classmethod
    def of(cls, event: InboxEvent) -> InboxEventOut:
        return cls(
            id=event.pk,
            provider=event.provider,
            event_id=event.event_id,
            type=event.type,
            status=event.status,
            outcome=event.outcome,
            attempts=event.attempts,
            deliveries=event.deliveries,
            payload=event.payload,
            received_at=event.received_at,
            due_at=event.due_at,
            settled_at=event.settled_at,
        )


class EventFilter(Paging):
    status: str = Field("", max_length=8)
    provider: str = Field("", max_length=16)
    type: str = Field("", max_length=100)


@routes.post("/sandbox", auth=anyone, response={200: Taken, **problems(400, 404, 413)})
def sandbox(request: HttpRequest) -> Any:
    """Webhooks of the sandbox gateway, signed by Standard Webhooks."""
    inbox.receive("sandbox", request.headers, request.body)
    return {"received": True}


@routes.post("/replicate", auth=anyone, response={200: Taken, **problems(400, 413, 422)})
def replicate(
    request: HttpRequest, call: Annotated[str, Query("", max_length=200, description="Ours.")]
) -> Any:
    """Webhooks of Replicate, signed by Standard Webhooks: a picture has been made, or not."""
    reference = ended_prediction(request.headers, request.body)
    hear_of_prediction(reference=reference, token=call)
    return {"received": True}


@routes.post("/stripe", auth=anyone, response={200: Taken, **problems(400, 404, 413)})
def stripe(request: HttpRequest) -> Any:
    """Webhooks of Stripe, with its own signature."""
    inbox.receive("stripe", request.headers, request.body)
    return {"received": True}


@payment_routes.post(
    "/webhook",
    auth=anyone,
    response={200: Taken, **problems(400, 404, 413)},
    include_in_schema=False,
)
def stripe_alias(request: HttpRequest) -> Any:
    return stripe(request)


@routes.post("/resend", auth=anyone, response={200: Taken, **problems(400, 404, 413)})
def resend(request: HttpRequest) -> Any:
    """What becomes of mails sent by Resend, signed by Svix."""
    mail_tracking.receive("resend", request)
    return {"received": True}


@routes.post("/sendgrid", auth=anyone, response={200: Taken, **problems(400, 404, 413)})
def sendgrid(request: HttpRequest) -> Any:
    """What becomes of mails sent by SendGrid, signed with its key."""
    mail_tracking.receive("sendgrid", request)
    return {"received": True}


@routes.post("/postmark", auth=anyone, response={200: Taken, **problems(400, 404, 413)})
def postmark(request: HttpRequest) -> Any:
    """What becomes of mails sent by Postmark, which shows the user and password of the address."""
    mail_tracking.receive("postmark", request)
    return {"received": True}


@routes.post("/polar", auth=anyone, response={200: Taken, **problems(400, 404, 413)})
def polar(request: HttpRequest) -> Any:
    """Webhooks of Polar, signed by Standard Webhooks."""
    inbox.receive("polar", request.headers, request.body)
    return {"received": True}


@routes.get(
    "/events",
    auth=staff(Permission.WEBHOOKS_READ),
    response={200: Listing[InboxEventOut], **problems(401, 403, 422)},
)
def events(request: HttpRequest, filters: Query[EventFilter]) -> Any:
    """The webhook inbox, newest first."""
    page = paginate(
        inbox_events(status=filters.status, provider=filters.provider, type=filters.type),
        order=["-id"],
        limit=filters.limit,
        cursor=filters.cursor,
    )
    return listing(page, InboxEventOut.of)


@routes.post(
    "/events/{uuid:event_id}/replay",
    auth=staff(Permission.WEBHOOKS_REPLAY),
    response={202: InboxEventOut, **problems(401, 403, 404)},
)
def replay(request: HttpRequest, event_id: UUID) -> Any:
    """Settle an event again. One that was settled changes nothing the second time."""
    return Status(202, InboxEventOut.of(inbox.replay(event_id, actor_id=request.user.pk)))
