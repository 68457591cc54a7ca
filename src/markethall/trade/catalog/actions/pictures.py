"""Pictures of products: their files go to the storage first and to their rows after."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Max, Q

from markethall.foundation.audit.actions import record
from markethall.foundation.files.actions import delete_file, store_file
from markethall.foundation.files.models import PRODUCT, StoredFile
from markethall.foundation.files.pictures import MAX_BYTES, Picture, clean_picture
from markethall.foundation.files.scan import scan
from markethall.foundation.files.sizes import in_widths
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock_one
from markethall.kernel.throttle import Limit, count_try
from markethall.trade.catalog.errors import CollectionMissing, PictureMissing, ProductMissing
from markethall.trade.catalog.models import (
    Collection,
    OptionValue,
    PictureSize,
    Product,
    ProductImage,
)
from markethall.trade.catalog.pictures import MAX_ALT, MAX_PICTURES, SHOWN, WIDTHS

PICTURES = Limit(120, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as somebody sends it: ``size`` in bytes, ``name`` and ``declared_type`` as they
    call it."""

    file: BinaryIO
    size: int
    name: str = ""
    declared_type: str = ""


def add_picture(
    *,
    product_id: uuid.UUID,
    upload: Upload,
    actor_id: uuid.UUID | None,
    alt: str = "",
    shows: Sequence[str] = (),
    counted: bool = True,
) -> ProductImage:
    """Add a picture at the end of a product's. One that it has already is not added again.

    Call it outside a transaction. Raises ProductMissing, Invalid, TooManyRequests when a person
    sends too many (``counted``), and what ``scan``, ``clean_picture`` and ``store_file`` raise.
    """
    if actor_id and counted:
        count_try(f"product-picture:{actor_id}", PICTURES)
    _check(product_id, alt, shows)
    source = source_of(upload)
    # What an export has written is our own version of what was sent.
    same = Q(source=source) | Q(file__sha256=source)
    known = ProductImage.objects.filter(same, product=product_id)
    if found := known.select_related("file").first():
        return found
    stored = _store(_clean(upload))
    try:
        with transaction.atomic():
            return _add(product_id, stored, source, alt.strip(), shows, actor_id)
    except BaseException:
        _drop(stored)
        raise


def show_collection_with(
    *, collection_id: uuid.UUID, upload: Upload, actor_id: uuid.UUID | None, alt: str = ""
) -> ProductImage:
    """Give a collection this picture in place of the one it has. Call it outside a transaction.
    Raises CollectionMissing, and what ``add_picture`` raises."""
    if len(alt) > MAX_ALT:
        raise Invalid.field("alt", f"At most {MAX_ALT} characters.")
    source = source_of(upload)
    collection = Collection.objects.filter(pk=collection_id).select_related("picture__file").first()
    if collection is None:
        raise CollectionMissing
    if collection.picture and source in (collection.picture.source, collection.picture.file.sha256):
        return collection.picture
    stored = _store(_clean(upload))
    try:
        with transaction.atomic():
            collection = lock_one(Collection.objects.filter(pk=collection_id))
            before = collection.picture
            image = _rows(None, stored, source, alt.strip(), (), 0)
            collection.picture = image
            collection.save(update_fields=["picture"])
            if before:
                remove(before)
            _note("collection.picture", collection.pk, actor_id, "collection", picture=image.pk)
            return image
    except BaseException:
        _drop(stored)
        raise


def change_picture(
    *,
    product_id: uuid.UUID,
    image_id: uuid.UUID,
    actor_id: uuid.UUID | None,
    alt: str | None = None,
    shows: Sequence[str] | None = None,
) -> ProductImage:
    """Describe a picture anew; what is None stays. Raises PictureMissing and Invalid."""
    _check(product_id, alt or "", shows or ())
    with transaction.atomic():
        image = _locked(product_id, image_id)
        image.alt = image.alt if alt is None else alt.strip()
        image.shows = image.shows if shows is None else list(dict.fromkeys(shows))
        image.save(update_fields=["alt", "shows"])
        _note("product.picture_change", product_id, actor_id, picture=image_id)
    return image


def order_pictures(
    *, product_id: uuid.UUID, image_ids: Sequence[uuid.UUID], actor_id: uuid.UUID | None
) -> None:
    """Show a product's pictures in this order; those not named follow. Raises PictureMissing."""
    with transaction.atomic():
        _lock_product(product_id)
        images = {image.pk: image for image in ProductImage.objects.filter(product=product_id)}
        if set(image_ids) - set(images):
            raise PictureMissing
        rest = sorted(
            (image for pk, image in images.items() if pk not in set(image_ids)),
            key=lambda image: (image.position, image.pk),
        )
        ordered = [images[pk] for pk in dict.fromkeys(image_ids)] + rest
        for position, image in enumerate(ordered):
            image.position = position
        ProductImage.objects.bulk_update(ordered, ["position"])
        _note("product.picture_order", product_id, actor_id)


def delete_picture(
    *, product_id: uuid.UUID, image_id: uuid.UUID, actor_id: uuid.UUID | None
) -> None:
    """Delete a picture with its files. Raises PictureMissing."""
    with transaction.atomic():
        remove(_locked(product_id, image_id))
        _note("product.picture_delete", product_id, actor_id, picture=image_id)


def remove(image: ProductImage) -> None:
    """Delete a picture's rows now and its files after the commit."""
    files = [image.file, *(size.file for size in image.sizes.select_related("file"))]
    image.delete()
    for file in files:
        delete_file(file)


def source_of(upload: Upload) -> str:
    """The SHA-256 of what is sent, hexadecimal."""
    upload.file.seek(0)
    if upload.size > MAX_BYTES:
        return ""
    return hashlib.sha256(upload.file.read()).hexdigest()


def _clean(upload: Upload) -> Picture:
    upload.file.seek(0)
    if upload.size <= MAX_BYTES:
        scan(upload.file)
    return clean_picture(
        upload.file, size=upload.size, name=upload.name, declared_type=upload.declared_type
    )


def _store(picture: Picture) -> list[StoredFile]:
    """The picture and its sizes, in the storage; the picture first."""
    stored: list[StoredFile] = []
    try:
        for each in (picture, *in_widths(picture, WIDTHS)):
            stored.append(
                store_file(
                    each.content,
                    purpose=PRODUCT,
                    content_type=each.content_type,
                    owner_id=None,
                    width=each.width,
                    height=each.height,
                )
            )
    except BaseException:
        _drop(stored)
        raise
    return stored


def _drop(stored: Sequence[StoredFile]) -> None:
    for file in stored:
        delete_file(file)


def _add(
    product_id: uuid.UUID,
    stored: Sequence[StoredFile],
    source: str,
    alt: str,
    shows: Sequence[str],
    actor_id: uuid.UUID | None,
) -> ProductImage:
    product = _lock_product(product_id)
    others = ProductImage.objects.filter(product=product)
    if others.count() >= MAX_PICTURES:
        raise Invalid.field("file", f"A product has at most {MAX_PICTURES} pictures.")
    last = others.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    image = _rows(product, stored, source, alt, shows, position)
    _note("product.picture", product_id, actor_id, picture=image.pk)
    return image


def _rows(
    product: Product | None,
    stored: Sequence[StoredFile],
    source: str,
    alt: str,
    shows: Sequence[str],
    position: int,
) -> ProductImage:
    original, *smaller = stored
    image = ProductImage.objects.create(
        product=product,
        file=original,
        source=source,
        alt=alt,
        shows=list(dict.fromkeys(shows)),
        widths=[file.width or 0 for file in smaller],
        position=position,
    )
    PictureSize.objects.bulk_create(
        PictureSize(image=image, width=file.width or 0, file=file) for file in smaller
    )
    return image


def _lock_product(product_id: uuid.UUID) -> Product:
    return lock_one(Product.objects.filter(pk=product_id), missing=ProductMissing)


def _locked(product_id: uuid.UUID, image_id: uuid.UUID) -> ProductImage:
    return lock_one(
        ProductImage.objects.filter(pk=image_id, product=product_id), missing=PictureMissing
    )


def _check(product_id: uuid.UUID, alt: str, shows: Sequence[str]) -> None:
    if not Product.objects.filter(pk=product_id).exists():
        raise ProductMissing
    if len(alt) > MAX_ALT or "\x00" in alt:
        raise Invalid.field("alt", f"At most {MAX_ALT} characters.")
    if not shows:
        return
    values = OptionValue.objects.filter(option__product=product_id)
    known = {f"{option}:{value}" for option, value in values.values_list("option__code", "code")}
    for shown in shows:
        if not SHOWN.fullmatch(shown) or shown not in known:
            raise Invalid.field("shows", f"There is no value {shown[:80]!r} to choose here.")


def _note(
    action: str,
    subject_id: uuid.UUID,
    actor_id: uuid.UUID | None,
    subject_type: str = "product",
    **data: Any,
) -> None:
    told = {name: str(value) for name, value in data.items()}
    record(action, actor_id=actor_id, subject_type=subject_type, subject_id=subject_id, **told)
