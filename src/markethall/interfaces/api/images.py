from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, File, Query, Status
from ninja.files import UploadedFile

from markethall.content.imaging.actions import set_favorite
from markethall.content.imaging.models import Generation
from markethall.content.imaging.queries import file_name, gallery, picture_of
from markethall.content.imaging.rules import MAX_PROMPT
from markethall.flows import generation as flow
from markethall.flows.uploads import take_photo
from markethall.foundation.files.links import signed_link
from markethall.interfaces.api.access import signed_in
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.schemas import In, Listing, Out, Paging, Time, listing, problems
from markethall.kernel.pagination import paginate

routes = router("images")

PictureStatus = Literal["pending", "processing", "completed", "failed"]
StyleName = Literal["cute-fluffy", "realistic-plush", "cartoon-style", "minimalist"]


class UploadOut(Out):
    """The picture as it is kept: upright, without metadata; sizes in pixels."""

    id: UUID
    url: str = Field(description="A link that expires.")
    width: int
    height: int
    content_type: Literal["image/jpeg", "image/png", "image/webp"]


class GenerateIn(In):
    upload_id: UUID
    style: Literal[StyleName, "cute", "realistic", "cartoon"] | None = Field(
        None, description="The style of the caller's settings when left out."
    )
    size: Literal["small", "medium", "large"] = Field(
        "medium", description="512, 768 or 1024 pixels on the longer side."
    )
    prompt: str | None = Field(None, max_length=MAX_PROMPT)


class GenerationOut(Out):
    """``processingTime`` is in milliseconds. Links expire: ask again for fresh ones."""

    id: UUID
    status: PictureStatus
    style: StyleName
    size: Literal["small", "medium", "large"]
    prompt: str
    original_url: str
    generated_url: str | None
    is_favorite: bool
    processing_time: int | None
    error_message: str | None
    created_at: Time

    @classmethod
    def of(cls, picture: Generation) -> GenerationOut:
        return cls(
            id=picture.pk,
            status=picture.status,
            style=picture.style,
            size=picture.size,
            prompt=picture.prompt,
            original_url=signed_link(picture.original_id),
            generated_url=signed_link(picture.result_id) if picture.result_id else None,
            is_favorite=picture.is_favorite,
            processing_time=picture.processing_ms,
            error_message=picture.error_message or None,
            created_at=picture.created_at,
        )


class GalleryIn(Paging):
    search: str = Field("", max_length=200, description="Part of the prompt, or of the id.")
    status: PictureStatus | None = None
    sort: Literal["newest", "oldest", "favorites"] = "newest"


class FavoriteIn(In):
    is_favorite: bool | None = Field(None, description="Left out: turned over.")


class DownloadOut(Out):
    url: str = Field(description="A link that expires; the browser saves it as ``filename``.")
    filename: str


@routes.post(
    "/upload",
    auth=signed_in,
    response={201: UploadOut, **problems(400, 401, 403, 413, 415, 422, 429, 503)},
)
def upload(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """Upload a JPEG, PNG or WebP picture of at most 10 MB and 50 million pixels."""
    stored = take_photo(
        user_id=request.user.pk,
        file=file.file,
        size=file.size or 0,
        name=file.name or "",
        declared_type=file.content_type or "",
    )
    shown = UploadOut(
        id=stored.pk,
        url=signed_link(stored.pk),
        width=stored.width or 0,
        height=stored.height or 0,
        content_type=stored.content_type,
    )
    return Status(201, shown)


@routes.post(
    "/generate",
    auth=signed_in,
    response={202: GenerationOut, **problems(400, 401, 402, 403, 404, 409, 422)},
)
def generate(request: HttpRequest, body: GenerateIn) -> Any:
    """Ask for a plush toy of an upload, for one credit. Honours ``Idempotency-Key``."""

    def act() -> tuple[int, GenerationOut]:
        picture = flow.start_generation(
            user_id=request.user.pk,
            upload_id=body.upload_id,
            style=body.style,
            size=body.size,
            prompt=body.prompt or "",
        )
        return 202, GenerationOut.of(picture)

    return answer_once(request, act)


@routes.get("", auth=signed_in, response={200: Listing[GenerationOut], **problems(401, 422)})
def images(request: HttpRequest, query: Query[GalleryIn]) -> Any:
    """The caller's pictures, 20 a page."""
    pictures, order = gallery(
        request.user.pk, search=query.search, status=query.status or "", sort=query.sort
    )
    page = paginate(pictures, order=order, limit=query.limit, cursor=query.cursor)
    return listing(page, GenerationOut.of)


@routes.get("/{image_id}", auth=signed_in, response={200: GenerationOut, **problems(401, 404, 422)})
def image(request: HttpRequest, image_id: UUID) -> Any:
    """One of the caller's pictures, with its progress."""
    return GenerationOut.of(picture_of(request.user.pk, image_id))


@routes.delete(
    "/{image_id}", auth=signed_in, response={204: None, **problems(401, 403, 404, 409, 422)}
)
def delete(request: HttpRequest, image_id: UUID) -> Any:
    """Delete a picture with its files. One that waits is cancelled; one being made is not."""
    flow.delete_generation(user_id=request.user.pk, generation_id=image_id)
    return Status(204, None)


@routes.post(
    "/{image_id}/download",
    auth=signed_in,
    response={200: DownloadOut, **problems(401, 403, 404, 409, 422)},
)
def download(request: HttpRequest, image_id: UUID) -> Any:
    """A link under which the browser saves the picture."""
    picture = picture_of(request.user.pk, image_id)
    filename = file_name(picture)
    return DownloadOut(url=signed_link(picture.result_id, download_as=filename), filename=filename)


@routes.post(
    "/{image_id}/favorite",
    auth=signed_in,
    response={200: GenerationOut, **problems(400, 401, 403, 404, 422)},
)
def favorite(request: HttpRequest, image_id: UUID, body: FavoriteIn | None = None) -> Any:
    """Turn the favourite mark over, or set it."""
    wanted = body.is_favorite if body else None
    return GenerationOut.of(
        set_favorite(user_id=request.user.pk, generation_id=image_id, is_favorite=wanted)
    )


@routes.post(
    "/{image_id}/cancel",
    auth=signed_in,
    response={200: GenerationOut, **problems(401, 403, 404, 409, 422)},
)
def cancel(request: HttpRequest, image_id: UUID) -> Any:
    """Give up a picture that still waits; the credit comes back."""
    return GenerationOut.of(flow.cancel_generation(user_id=request.user.pk, generation_id=image_id))
