"""Serves files behind signed links, or leads to the storage that does."""

from __future__ import annotations

from typing import Any

from django.core.files.base import File
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from markethall.foundation.files.actions import open_file, where_it_lies
from markethall.foundation.files.links import Opened, open_link
from markethall.foundation.files.models import StoredFile
from markethall.foundation.files.previews import CONTENT_TYPE, ensure_preview, make_preview
from markethall.interfaces.web.verbs import read_only
from markethall.kernel.errors import NotFound

_DELETED = NotFound("This file has been deleted.")
_MARGIN = 60  # seconds that a browser forgets a redirect before its address stops working


@read_only
def preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """A small version of a picture, for lists."""
    link, file = _linked(token)
    if not file.content_type.startswith("image/"):
        raise NotFound("Only pictures have a small version.")
    try:
        name = ensure_preview(file)
        found = _led_on(request, link, file, name, CONTENT_TYPE)
        return found or _kept_apart(FileResponse(_preview(file), content_type=CONTENT_TYPE))
    except FileNotFoundError:
        raise _DELETED from None


@read_only
def serve(request: HttpRequest, token: str) -> HttpResponseBase:
    """The content of one file, never as something a browser would run."""
    link, file = _linked(token)
    disposition = content_disposition_header(bool(link.download_as), link.download_as)
    response: HttpResponseBase | None
    if request.method == "HEAD":
        response = HttpResponse(content_type=file.content_type)
        response.headers["Content-Length"] = str(file.size)
    else:
        response = _led_on(request, link, file, file.name, file.content_type)
        if response:
            return response
        response = FileResponse(_content(file), content_type=file.content_type)
    response.headers["Content-Disposition"] = disposition or "inline"
    return _kept_apart(response)


def _linked(token: str) -> tuple[Opened, StoredFile]:
    link = open_link(token)
    file = StoredFile.objects.filter(pk=link.file_id).first()
    if file is None:
        raise _DELETED
    return link, file


def _led_on(
    request: HttpRequest, link: Opened, file: StoredFile, name: str, content_type: str
) -> HttpResponse | None:
    """A redirect to the storage's own signed address, which works no longer than our link; None
    when the storage has none."""
    disposition = content_disposition_header(bool(link.download_as), link.download_as)
    address = where_it_lies(
        file,
        lambda store: store.link(
            name,
            seconds=link.seconds,
            content_type=content_type,
            disposition=disposition or "inline",
        ),
    )
    if not address or request.method != "GET":
        return None
    response = HttpResponseRedirect(address)
    response.headers["Cache-Control"] = f"private, max-age={max(0, link.seconds - _MARGIN)}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _kept_apart(response: HttpResponseBase) -> HttpResponseBase:
    """Kept by the reader's browser only, and never run by it."""
    response.headers["Cache-Control"] = "private, max-age=3600, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # A front end on another origin may show it: the link itself is the permission.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _content(file: StoredFile) -> File[Any]:
    try:
        return open_file(file)
    except FileNotFoundError:
        raise _DELETED from None


def _preview(file: StoredFile) -> File[Any]:
    """The preview, made anew when the storage has lost it."""
    name = ensure_preview(file)
    try:
        return where_it_lies(file, lambda store: store.open(name))
    except FileNotFoundError:
        make_preview(file)
        return where_it_lies(file, lambda store: store.open(name))
