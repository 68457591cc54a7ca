"""From a wish to a piece: somebody asks, staff answers by mail, and they write to and fro.

Whoever asked needs no account: the link in each mail opens the conversation, and is the right to
take part in it, for as long as ``trade.leads.rules`` says.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from markethall.flows.brands import brand_of
from markethall.foundation.accounts.limits import count, count_by_address, within
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import GRANTS, Permission, Role, may
from markethall.foundation.audit.actions import record
from markethall.foundation.files.actions import accept_picture
from markethall.foundation.messaging.actions import send_mail
from markethall.kernel import clock
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock_one
from markethall.kernel.texts import paragraphs
from markethall.trade.catalog.storefronts import storefront as shop_of
from markethall.trade.leads import actions
from markethall.trade.leads.actions import Wish
from markethall.trade.leads.errors import LeadMissing, LinkEnded, NotAssignable
from markethall.trade.leads.models import REFERENCE, Lead, LeadMessage, LeadPicture, LeadStatus
from markethall.trade.leads.queries import last_message_at
from markethall.trade.leads.rules import lasts_until

# Whose pieces are made to a wish, where a caller names no storefront.
HOUSE = "elysium"
_SALT = "markethall.bespoke"
# A picture that no lead was sent with is kept so long.
_UNSENT = timedelta(days=1)
# Of somebody's enquiries, so many get a new link by one mail: the latest.
_LINKS = 5


def take_picture(*, file: BinaryIO, size: int, name: str, declared_type: str) -> LeadPicture:
    """Keep a reference picture for a lead that is yet to be sent. Call it outside a transaction.

    Raises TooManyRequests, and what ``accept_picture`` raises.
    """
    count_by_address("reference_picture")
    stored = accept_picture(
        file,
        size=size,
        name=name,
        declared_type=declared_type,
        owner_id=None,
        purpose=REFERENCE,
    )
    return actions.keep_picture(stored)


def ask(*, storefront: str, customer_id: uuid.UUID | None, wish: Wish) -> Lead:
    """Somebody asks for a piece: it is recorded, they and those who look after leads get a mail.

    Raises TooManyRequests, Invalid, PictureUnknown, TooManyPictures.
    """
    try:
        validate_email(wish.email)
    except ValidationError:
        raise Invalid.field("email", "Give an e-mail address, for the answer.") from None
    count("bespoke", wish.email)
    with transaction.atomic():
        lead = actions.open_lead(storefront=storefront, customer_id=customer_id, wish=wish)
        _mail_customer("bespoke_received", lead, {})
        _mail_staff(lead, lead.notes, is_new=True)
    return lead


def reply(*, lead_id: uuid.UUID, body: str, actor_id: uuid.UUID, is_internal: bool = False) -> Lead:
    """Staff answers by mail, or notes something for themselves. Raises LeadMissing, Invalid."""
    text = _written(body)
    with transaction.atomic():
        lead = lock_one(Lead.objects.filter(pk=lead_id), missing=LeadMissing)
        actions.add_message(lead, body=text, author_id=actor_id, is_internal=is_internal)
        if not is_internal:
            if lead.status == LeadStatus.NEW:
                lead.status = LeadStatus.IN_PROGRESS
                actions.touch(lead, "status")
            _mail_customer("bespoke_reply", lead, {"body": text})
        record(
            "leads.note" if is_internal else "leads.reply",
            actor_id=actor_id,
            subject_type="lead",
            subject_id=lead.pk,
        )
    return lead


def answer(*, token: str, body: str) -> Lead:
    """Whoever asked writes back by their link. Raises LeadMissing, LinkEnded, Invalid,
    TooManyRequests."""
    count_by_address("bespoke")
    lead_id, sent_at = _read(token)
    with transaction.atomic():
        lead = lock_one(Lead.objects.filter(pk=lead_id), missing=LeadMissing)
        _check_lasts(lead, sent_at)
        text = _written(body)
        actions.add_message(lead, body=text, author_id=None)
        _mail_staff(lead, text, is_new=False)
    return lead


def change(
    *, lead_id: uuid.UUID, actor_id: uuid.UUID, status: str = "", assignee_id: Any = ...
) -> Lead:
    """Move a lead, or give it to a member of staff (None: to nobody); what is left out stays.

    Raises LeadMissing, and NotAssignable for who may not look after leads.
    """
    with transaction.atomic():
        lead = lock_one(Lead.objects.filter(pk=lead_id), missing=LeadMissing)
        changes: dict[str, Any] = {}
        if assignee_id is not ...:
            lead.assignee = _assignable(assignee_id)
            changes["assignee"] = lead.assignee_id and str(lead.assignee_id)
        if status:
            lead.status = LeadStatus(status)
            changes["status"] = status
        actions.touch(lead, *changes)
        record(
            "leads.change", actor_id=actor_id, subject_type="lead", subject_id=lead.pk, **changes
        )
    return lead


def conversation(token: str) -> tuple[Lead, list[LeadMessage]]:
    """What the bearer of a link may read: the lead, and its messages without staff's notes.

    Raises LeadMissing, and LinkEnded for a link that opens it no longer.
    """
    lead_id, sent_at = _read(token)
    lead = Lead.objects.filter(pk=lead_id).first()
    if lead is None:
        raise LeadMissing
    _check_lasts(lead, sent_at)
    return lead, list(lead.messages.filter(is_internal=False).order_by("pk"))


def send_links(email: str) -> None:
    """Mail new links of all that was asked for from an address; of what nobody asked for, nothing,
    and the caller learns of neither. Raises TooManyRequests, Invalid."""
    count_by_address("bespoke_link")
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid.field("email", "Give the e-mail address that you asked from.") from None
    if not within("bespoke_link", address):
        return
    with transaction.atomic():
        found = list(Lead.objects.filter(email=address).order_by("-id")[:_LINKS])
        if found:
            send_mail(
                "bespoke_link",
                to=address,
                user_id=found[0].customer_id,
                context=links_values(found),
                brand=brand_of(found[0].storefront),
            )


def lead_link(lead: Lead) -> str:
    """The address that opens the conversation for whoever has it."""
    token = signing.dumps([lead.pk.hex, int(clock.now().timestamp())], salt=_SALT)
    return f"{settings.SITE_URL}/bespoke/{token}"


def staff_for_leads() -> list[User]:
    """Those whose role lets them look after leads."""
    roles = [role for role in Role if Permission.LEADS_WRITE in GRANTS[role]]
    return list(User.objects.filter(role__in=roles, is_active=True).order_by("email"))


def sweep_unsent_pictures() -> int:
    """Delete pictures whose lead was never sent; returns how many."""
    return actions.sweep_pictures(before=clock.now() - _UNSENT)


def received_values(lead: Lead) -> dict[str, Any]:
    """What every mail to whoever asked tells."""
    return {"lead": lead, "shop": shop_of(lead.storefront), "link": lead_link(lead)}


def links_values(leads: Sequence[Lead]) -> dict[str, Any]:
    """What the mail ``bespoke_link`` tells."""
    return {
        "links": [(lead, lead_link(lead)) for lead in leads],
        "shop": shop_of(leads[0].storefront),
    }


def notice_values(lead: Lead, body: str, *, is_new: bool) -> dict[str, Any]:
    """What the mail ``bespoke_notice`` tells staff."""
    return {
        "lead": lead,
        "body": body,
        "is_new": is_new,
        "link": f"{settings.SITE_URL}/console/leads/{lead.pk}",
    }


def _mail_customer(template: str, lead: Lead, more: dict[str, Any]) -> None:
    send_mail(
        template,
        to=lead.email,
        user_id=lead.customer_id,
        context={**received_values(lead), **more},
        brand=brand_of(lead.storefront),
    )


def _mail_staff(lead: Lead, body: str, *, is_new: bool) -> None:
    """The one who looks after it; everybody who could, while nobody does."""
    for person in [lead.assignee] if lead.assignee else staff_for_leads():
        send_mail(
            "bespoke_notice",
            to=person.email,
            user_id=person.pk,
            context=notice_values(lead, body, is_new=is_new),
        )


def _read(token: str) -> tuple[uuid.UUID, datetime]:
    """Which lead a link is of, and when it was sent."""
    try:
        key, sent_at = signing.loads(token, salt=_SALT)
        return uuid.UUID(hex=key), datetime.fromtimestamp(sent_at, UTC)
    except (signing.BadSignature, ValueError, TypeError):
        raise LeadMissing from None


def _check_lasts(lead: Lead, sent_at: datetime) -> None:
    ends_at = lasts_until(
        is_closed=lead.is_closed, last_message_at=last_message_at(lead), sent_at=sent_at
    )
    if ends_at <= clock.now():
        raise LinkEnded


def _assignable(user_id: uuid.UUID | None) -> User | None:
    if user_id is None:
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not may(user, Permission.LEADS_WRITE):
        raise NotAssignable.field("assigneeId", "Choose somebody who may look after enquiries.")
    return user


def _written(body: str) -> str:
    text = paragraphs(body)
    if not text:
        raise Invalid.field("body", "Write something.")
    if len(text) > 4000:
        raise Invalid.field("body", f"At most 4000 characters; these are {len(text)}.")
    return text
