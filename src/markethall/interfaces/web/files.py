"""Serves files behind signed links."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe

from markethall.foundation.files.links import open_link
from markethall.foundation.files.models import StoredFile
from markethall.kernel.errors import NotFound


@require_safe
def serve(request: HttpRequest, token: str) -> FileResponse:
    """The content of one file, never as something a browser would run."""
    file_id, download_as = open_link(token)
    file = StoredFile.objects.filter(pk=file_id).first()
    if file is None or not default_storage.exists(file.name):
        raise NotFound("This file has been deleted.")
    response = FileResponse(
        default_storage.open(file.name),
        content_type=file.content_type,
        as_attachment=bool(download_as),
        filename=download_as,
    )
    response.headers["Cache-Control"] = "private, max-age=3600, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
