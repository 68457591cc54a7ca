"""Writes to leads. A row handed in is locked by the caller."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from markethall.foundation.files.actions import delete_file
from markethall.foundation.files.models import StoredFile
from markethall.kernel import clock, live
from markethall.kernel.errors import Invalid
from markethall.kernel.ids import human_code
from markethall.kernel.locking import lock
from markethall.kernel.money import Money
from markethall.kernel.texts import one_line, paragraphs
from markethall.trade.leads.errors import PictureUnknown, TooManyPictures
from markethall.trade.leads.models import Lead, LeadMessage, LeadPicture

MAX_PICTURES = 6
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for."""

    name: str
    email: str
    notes: str
    phone: str = ""
    budget: Money | None = None
    wanted_by: date | None = None
    pictures: Sequence[uuid.UUID] = ()


def open_lead(*, storefront: str, customer_id: uuid.UUID | None, wish: Wish) -> Lead:
    """Record a wish with its pictures. Raises Invalid, PictureUnknown and TooManyPictures."""
    for field, text in (("name", wish.name), ("notes", wish.notes)):
        if not one_line(text):
            raise Invalid.field(field, "Write something that can be read.")
    if len(set(wish.pictures)) > MAX_PICTURES:
        raise TooManyPictures.field("pictures", f"Send {MAX_PICTURES} pictures at most.")
    with transaction.atomic():
        lead = _numbered(storefront, customer_id, wish)
        pictures = lock(LeadPicture.objects.filter(pk__in=wish.pictures, lead=None))
        if len(pictures) < len(set(wish.pictures)):
            raise PictureUnknown.field("pictures", "Add the pictures once more, and send again.")
        LeadPicture.objects.filter(pk__in=[each.pk for each in pictures]).update(lead=lead)
        live.notify("leads", kind="new", user_id=None)
    return lead


def add_message(
    lead: Lead, *, body: str, author_id: uuid.UUID | None, is_internal: bool = False
) -> LeadMessage:
    """Add to the conversation of a locked lead; whose turn it is follows from who wrote."""
    message = LeadMessage.objects.create(
        lead=lead, author_id=author_id, is_internal=is_internal, body=body, at=clock.now()
    )
    if not is_internal:
        lead.awaits_staff = author_id is None
    touch(lead, "awaits_staff")
    return message


def touch(lead: Lead, *fields: str) -> None:
    """Save ``fields`` of a locked lead, and tell open pages."""
    lead.updated_at = clock.now()
    lead.save(update_fields=["updated_at", *fields])
    live.notify("leads", kind=lead.status, user_id=None)


def keep_picture(file: StoredFile) -> LeadPicture:
    """A reference picture that has come, for a lead that is yet to be sent."""
    return LeadPicture.objects.create(file=file, added_at=clock.now())


def sweep_pictures(*, before: datetime) -> int:
    """Delete pictures added before then for leads that were never sent; returns how many."""
    swept = 0
    for picture in LeadPicture.objects.filter(lead=None, added_at__lt=before)[:1000]:
        with transaction.atomic():
            if lock(LeadPicture.objects.filter(pk=picture.pk, lead=None)):
                delete_file(picture.file)
                swept += 1
    return swept


def _numbered(storefront: str, customer_id: uuid.UUID | None, wish: Wish) -> Lead:
    now = clock.now()
    for _ in range(_TRIES):
        lead = Lead(
            number=f"BL-{human_code()}",
            storefront=storefront,
            customer_id=customer_id,
            name=one_line(wish.name),
            email=wish.email,
            phone=one_line(wish.phone),
            budget=wish.budget.amount if wish.budget else None,
            currency=wish.budget.currency if wish.budget else "",
            wanted_by=wish.wanted_by,
            notes=paragraphs(wish.notes),
            created_at=now,
            updated_at=now,
        )
        try:
            with transaction.atomic():
                lead.save(force_insert=True)
        except IntegrityError:  # the number is taken
            continue
        return lead
    raise RuntimeError("No free number was found.")
