"""Serves files behind signed links."""

from __future__ import annotations

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from markethall.foundation.files.links import open_link
from markethall.foundation.files.models import StoredFile
from markethall.kernel.errors import NotFound


@require_safe
def serve(request: HttpRequest, token: str) -> HttpResponseBase:
    """The content of one file, never as something a browser would run."""
    file_id, download_as = open_link(token)
    file = StoredFile.objects.filter(pk=file_id).first()
    if file is None:
        raise NotFound("This file has been deleted.")
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type=file.content_type)
        response.headers["Content-Length"] = str(file.size)
    else:
        response = FileResponse(_content(file), content_type=file.content_type)
    disposition = content_disposition_header(bool(download_as), download_as)
    response.headers["Content-Disposition"] = disposition or "inline"
    response.headers["Cache-Control"] = "private, max-age=3600, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # A front end on another origin may show it: the link itself is the permission.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _content(file: StoredFile) -> File[bytes]:
    try:
        return default_storage.open(file.name)
    except FileNotFoundError:
        raise NotFound("This file has been deleted.") from None
