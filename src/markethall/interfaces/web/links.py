"""Addresses within this site, as pages use them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from markethall.foundation.files.links import signed_link


def picture_link(file_id: UUID) -> str:
    """A signed link to a file as a path, so that it works under every name of this machine."""
    return signed_link(file_id).removeprefix(settings.SITE_URL)


def preview_link(file_id: UUID) -> str:
    """A signed link to a small version of a picture."""
    return preview_of(picture_link(file_id))


def preview_of(link: str) -> str:
    """The link to the small version of the picture that ``link`` leads to."""
    return f"{link}/preview"


def came_from(request: HttpRequest, otherwise: str) -> str:
    """The page of this site that a form was sent from, or ``otherwise``."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()})
    return page if ours else otherwise
