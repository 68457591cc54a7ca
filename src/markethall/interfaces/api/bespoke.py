"""Wishes for pieces that are not for sale yet: anybody asks, staff looks after them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, File, Query, Status
from ninja.files import UploadedFile

from markethall.flows import bespoke as flow
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.files.links import signed_link
from markethall.interfaces.api.access import public, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Money,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel import money
from markethall.kernel.errors import Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.leads.actions import MAX_PICTURES, Wish
from markethall.trade.leads.models import Lead
from markethall.trade.leads.queries import lead_by_id, leads

routes = router("bespoke")

State = Literal["new", "in_progress", "quoted", "won", "lost"]
Line = Annotated[str, Field(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]


# What a lead is shown with as it stands.
_PLAIN = (
    "id", "number", "storefront", "status", "name", "email", "phone", "wanted_by", "notes",
    "customer_id", "assignee_id", "awaits_staff", "created_at", "updated_at",
)  # fmt: skip


class BudgetIn(In):
    amount: int = Field(gt=0, le=2**53 - 1, examples=[450_000])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["USD"])


class BespokeIn(In):
    """``pictures`` are ids that POST /api/bespoke/pictures gave."""

    name: Line
    email: str = Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    notes: Text
    phone: str = Field("", max_length=32, pattern=r"^[0-9 ()+./-]*$")
    budget: BudgetIn | None = None
    wanted_by: date | None = None
    pictures: list[UUID] = Field(default_factory=list, max_length=MAX_PICTURES)


class PictureOut(Out):
    id: UUID
    width: int
    height: int


class WishReceivedOut(Out):
    """What whoever asked gets back; the answer comes by mail."""

    id: UUID
    number: str
    status: State
    created_at: Time


class MessageOut(Out):
    """``from`` is who wrote; a note is for staff only."""

    id: UUID
    sender: Literal["customer", "staff", "note"] = Field(serialization_alias="from")
    body: str
    at: Time


class LeadOut(Out):
    id: UUID
    number: str
    storefront: str
    status: State
    name: str
    email: str
    phone: str
    budget: Money | None
    wanted_by: date | None
    notes: str
    customer_id: UUID | None
    assignee_id: UUID | None
    awaits_staff: bool
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, lead: Lead, **more: Any) -> Any:
        budget = lead.budget_money
        return cls(
            **{name: getattr(lead, name) for name in _PLAIN},
            budget=Money.of(budget) if budget else None,
            **more,
        )


class LeadDetail(LeadOut):
    """``pictures`` are links that expire."""

    pictures: list[str]
    messages: list[MessageOut]


class LeadsIn(Paging):
    status: State | None = None
    search: str = Field("", max_length=200, description="A number, or the start of a name.")
    waiting: bool = Field(False, description="Only those that wait for staff.")


class LeadChange(In):
    """What is left out stays; ``assigneeId`` null gives it to nobody."""

    status: State | None = None
    assignee_id: UUID | None = None


class ReplyIn(In):
    body: Text
    is_internal: bool = Field(False, description="A note that only staff sees.")


@routes.post(
    "/pictures",
    auth=public,
    response={201: PictureOut, **problems(400, 401, 403, 413, 415, 422, 429, 503)},
)
def post_picture(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """Upload a reference picture for a wish that is sent next. Kept a day unless it is."""
    picture = flow.take_picture(
        file=file.file,
        size=file.size or 0,
        name=file.name or "",
        declared_type=file.content_type or "",
    )
    stored = picture.file
    return Status(201, PictureOut(id=stored.pk, width=stored.width, height=stored.height))


@routes.post(
    "",
    auth=public,
    response={201: WishReceivedOut, **problems(400, 401, 403, 413, 422, 429)},
)
def post_bespoke(request: HttpRequest, body: BespokeIn) -> HttpResponse:
    """Ask for a piece. Both sides get a mail; the conversation goes on by the link in it."""

    def act() -> tuple[int, WishReceivedOut]:
        lead = flow.ask(
            storefront=storefront_of(request) or flow.HOUSE,
            customer_id=getattr(request.user, "pk", None),
            wish=_wish(body),
        )
        return 201, WishReceivedOut.model_validate(lead, from_attributes=True)

    return answer_once(request, act, durable=False)


@routes.get(
    "",
    auth=staff(Permission.LEADS_READ),
    response={200: Listing[LeadOut], **problems(401, 403, 422)},
)
def get_leads(request: HttpRequest, query: Query[LeadsIn]) -> Any:
    """All wishes, the newest first."""
    found = leads(
        status=query.status or "",
        storefront=storefront_of(request),
        q=query.search,
        waiting=query.waiting,
    )
    page = paginate(found, order=["-id"], limit=query.limit, cursor=query.cursor)
    return listing(page, LeadOut.of)


@routes.get(
    "/{uuid:lead_id}",
    auth=staff(Permission.LEADS_READ),
    response={200: LeadDetail, **problems(401, 403, 404)},
)
def get_lead(request: HttpRequest, lead_id: UUID) -> Any:
    """One wish with its pictures and everything that was written."""
    return _detail(lead_id)


@routes.put(
    "/{uuid:lead_id}",
    auth=staff(Permission.LEADS_WRITE),
    response={200: LeadDetail, **problems(400, 401, 403, 404, 413, 422)},
)
def put_lead(request: HttpRequest, lead_id: UUID, body: LeadChange) -> Any:
    """Move a wish on, or give it to somebody."""
    changes: dict[str, Any] = {"status": body.status or ""}
    if "assignee_id" in body.model_fields_set:
        changes["assignee_id"] = body.assignee_id
    flow.change(lead_id=lead_id, actor_id=request.user.pk, **changes)
    return _detail(lead_id)


@routes.post(
    "/{uuid:lead_id}/messages",
    auth=staff(Permission.LEADS_WRITE),
    response={201: LeadDetail, **problems(400, 401, 403, 404, 413, 422)},
)
def post_message(request: HttpRequest, lead_id: UUID, body: ReplyIn) -> HttpResponse:
    """Answer by mail, or keep a note."""

    def act() -> tuple[int, LeadDetail]:
        flow.reply(
            lead_id=lead_id,
            body=body.body,
            is_internal=body.is_internal,
            actor_id=request.user.pk,
        )
        return 201, _detail(lead_id)

    return answer_once(request, act, durable=False)


def _wish(body: BespokeIn) -> Wish:
    budget = None
    if body.budget:
        try:
            budget = money.Money(body.budget.amount, body.budget.currency)
        except ValueError as error:
            raise Invalid.field("budget.currency", str(error)) from error
    fields = body.model_dump(exclude={"budget", "email"})
    return Wish(**fields, email=body.email.lower(), budget=budget)


def _detail(lead_id: UUID) -> LeadDetail:
    lead = lead_by_id(lead_id)
    pictures = lead.pictures.order_by("added_at", "pk").values_list("file_id", flat=True)
    messages = [
        MessageOut(
            id=each.pk,
            sender="note" if each.is_internal else "staff" if each.author_id else "customer",
            body=each.body,
            at=each.at,
        )
        for each in lead.messages.order_by("pk")
    ]
    return LeadDetail.of(lead, pictures=[signed_link(pk) for pk in pictures], messages=messages)
