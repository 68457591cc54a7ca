"""Serves pictures of goods: to everybody, to be kept for a year."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase

from markethall.foundation.files.actions import open_file
from markethall.interfaces.web.verbs import read_only
from markethall.kernel.errors import NotFound
from markethall.trade.catalog.pictures import file_in_width

_MISSING = NotFound("There is no such picture.")
_KEPT = "public, max-age=31536000, immutable"


@read_only
def picture(request: HttpRequest, image_id: uuid.UUID, width: int) -> HttpResponseBase:
    """One picture in one width. What lies at an address never changes, so a browser or a proxy
    that has it need not ask."""
    tag = f'"{image_id.hex}-{width}"'
    if tag in request.headers.get("If-None-Match", ""):
        return _kept(HttpResponseNotModified(), tag)
    file = file_in_width(image_id, width)
    if file is None:
        raise _MISSING
    if request.method == "HEAD":
        answer: Any = HttpResponse(content_type=file.content_type)
        answer.headers["Content-Length"] = str(file.size)
        return _kept(answer, tag)
    try:
        return _kept(FileResponse(open_file(file), content_type=file.content_type), tag)
    except FileNotFoundError:
        raise _MISSING from None


def _kept(response: HttpResponseBase, tag: str) -> HttpResponseBase:
    response.headers["Cache-Control"] = _KEPT
    response.headers["ETag"] = tag
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # A front end on another origin may show it.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
