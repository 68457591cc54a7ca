"""The platform: settings that change while it runs, and the audit log."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.audit.queries import entries
from markethall.foundation.platform.actions import change_settings
from markethall.foundation.platform.queries import fresh_settings
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.auth import Email
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Moment,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.kernel.pagination import paginate

routes = router("platform")


class PlatformOut(Out):
    """What the operator can change while the hall is open."""

    welcome_credits: int = Field(description="Credits of a new person.", examples=[10])
    generation_cost: int = Field(description="Credits that a picture costs.", examples=[1])
    generations_open: bool = Field(description="Whether pictures can be asked for.")
    signups_open: bool = Field(description="Whether new people can sign up.")
    support_email: str = Field(description="Where people are told to write.")
    maintenance_notice: str = Field(description="Shown on every page while it is not empty.")


class PlatformIn(In):
    """What is left out stays."""

    welcome_credits: Annotated[int, Field(ge=0, le=10_000)] | None = None
    generation_cost: Annotated[int, Field(ge=1, le=1_000)] | None = None
    generations_open: bool | None = None
    signups_open: bool | None = None
    support_email: Email | None = None
    maintenance_notice: (
        Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")] | None
    ) = None


class AuditOut(Out):
    """``actorId`` did ``action`` to the subject; no actor means the machine itself."""

    id: UUID
    at: Time
    actor_id: UUID | None
    action: str = Field(examples=["credits.correct"])
    subject_type: str = Field(examples=["user"])
    subject_id: str
    data: dict[str, Any]
    ip_address: str | None


class AuditFilter(Paging):
    action: str = Field("", max_length=64, description="How the action begins: `credits.`")
    actor_id: UUID | None = Field(None, alias="actorId")
    subject_id: str = Field("", max_length=64, alias="subjectId", pattern=r"^[^\x00]*$")
    since: Moment | None = Field(None, description="Not before.")
    until: Moment | None = Field(None, description="Before.")


@routes.get(
    "/settings",
    auth=staff(Permission.SETTINGS_READ),
    response={200: PlatformOut, **problems(401, 403)},
)
def get_settings(request: HttpRequest) -> Any:
    """The platform's settings."""
    return fresh_settings()


@routes.put(
    "/settings",
    auth=staff(Permission.SETTINGS_WRITE),
    response={200: PlatformOut, **problems(400, 401, 403, 413, 422)},
)
def put_settings(request: HttpRequest, body: PlatformIn) -> Any:
    """Change settings. All processes have heard of it within two seconds."""
    return change_settings(actor_id=request.user.pk, **body.model_dump(exclude_none=True))


@routes.get(
    "/audit",
    auth=staff(Permission.AUDIT_READ),
    response={200: Listing[AuditOut], **problems(401, 403, 422)},
)
def get_audit(request: HttpRequest, filters: Query[AuditFilter]) -> Any:
    """The audit log, newest first."""
    found = entries(
        action=filters.action,
        actor_id=filters.actor_id,
        subject_id=filters.subject_id,
    )
    if filters.since:
        found = found.filter(at__gte=filters.since)
    if filters.until:
        found = found.filter(at__lt=filters.until)
    page = paginate(found, order=["-id"], limit=filters.limit, cursor=filters.cursor)
    return listing(page, _show)


def _show(entry: AuditEntry) -> AuditOut:
    return AuditOut.model_validate(entry, from_attributes=True)
