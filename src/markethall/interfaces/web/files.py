"""Serves files behind signed links."""

from __future__ import annotations

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from markethall.foundation.files.links import open_link
from markethall.foundation.files.models import StoredFile
from markethall.foundation.files.previews import CONTENT_TYPE, open_preview
from markethall.interfaces.web.verbs import read_only
from markethall.kernel.errors import NotFound

_DELETED = NotFound("This file has been deleted.")


@read_only
def preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """A small version of a picture, for lists."""
    file = _linked(token)
    if not file.content_type.startswith("image/"):
        raise NotFound("Only pictures have a small version.")
    try:
        content = open_preview(file)
    except FileNotFoundError:
        raise _DELETED from None
    return _kept_apart(FileResponse(content, content_type=CONTENT_TYPE))


@read_only
def serve(request: HttpRequest, token: str) -> HttpResponseBase:
    """The content of one file, never as something a browser would run."""
    download_as = open_link(token)[1]
    file = _linked(token)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type=file.content_type)
        response.headers["Content-Length"] = str(file.size)
    else:
        response = FileResponse(_content(file), content_type=file.content_type)
    disposition = content_disposition_header(bool(download_as), download_as)
    response.headers["Content-Disposition"] = disposition or "inline"
    return _kept_apart(response)


def _linked(token: str) -> StoredFile:
    file = StoredFile.objects.filter(pk=open_link(token)[0]).first()
    if file is None:
        raise _DELETED
    return file


def _kept_apart(response: HttpResponseBase) -> HttpResponseBase:
    """Kept by the reader's browser only, and never run by it."""
    response.headers["Cache-Control"] = "private, max-age=3600, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # A front end on another origin may show it: the link itself is the permission.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _content(file: StoredFile) -> File[bytes]:
    try:
        return default_storage.open(file.name)
    except FileNotFoundError:
        raise _DELETED from None
