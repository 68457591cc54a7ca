"""A picture, as cards and the detail page show it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format

from markethall.content.imaging.actions import OPEN
from markethall.content.imaging.models import Generation
from markethall.interfaces.web.links import picture_link, preview_of
from markethall.interfaces.web.plushify.styles import style_label
from markethall.interfaces.web.plushify.wish import Wish


@dataclass(frozen=True, slots=True)
class Card:
    """``image`` is empty until there is one; ``again_url`` leads to the wizard's review."""

    id: str
    status: str
    prompt: str
    style: str
    image: str
    thumbnail: str
    created: str
    error: str
    is_favorite: bool
    again_url: str

    @classmethod
    def of(cls, picture: Generation) -> Card:
        link = picture_link(picture.result_id) if picture.result_id else ""
        wish = Wish(picture.original_id, picture.style, picture.size, picture.prompt)
        return cls(
            id=str(picture.pk),
            status=picture.status,
            prompt=picture.prompt,
            style=style_label(picture.style),
            image=link,
            thumbnail=preview_of(link) if link else "",
            created=date_format(picture.created_at, "j M Y, H:i"),
            error=picture.error_message,
            is_favorite=picture.is_favorite,
            again_url=wish.url(),
        )

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.status in OPEN
