"""Pictures of products: checked, made smaller, and served to everybody."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from house.goods import make_product, plain
from house.photos import opened, photo
from markethall.foundation.files.errors import InvalidPicture, UnsupportedMediaType
from markethall.foundation.files.models import StoredFile
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.actions.collections import (
    CollectionDraft,
    delete_collection,
    save_collection,
)
from markethall.trade.catalog.actions.pictures import (
    Upload,
    add_picture,
    change_picture,
    delete_picture,
    order_pictures,
    show_collection_with,
)
from markethall.trade.catalog.errors import PictureMissing
from markethall.trade.catalog.models import Product, ProductImage
from markethall.trade.catalog.queries import cards_of, product_shown

pytestmark = pytest.mark.django_db(transaction=True)


def upload(content: bytes, name: str = "ring.png") -> Upload:
    return Upload(io.BytesIO(content), len(content), name, "image/png")


def add(product: Product, size: tuple[int, int] = (1000, 800), **more: Any) -> ProductImage:
    content = photo(size=size)
    return add_picture(product_id=product.pk, upload=upload(content), actor_id=None, **more)


def get(image: ProductImage, width: int, **headers: str) -> Any:
    return Client().get(f"/media/products/{image.pk}/{width}.webp", headers=headers)


def stored(folder: Path) -> int:
    return sum(1 for path in (folder / "files").rglob("*") if path.is_file())


def test_a_picture_is_served_in_its_widths_for_a_year() -> None:
    image = add(plain("ring"), alt="A ring")
    assert image.widths == [320, 640, 960]
    answer = get(image, 640)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies
    picture = opened(b"".join(answer.streaming_content))
    assert (picture.format, picture.size) == ("WEBP", (640, 512))
    assert get(image, 640, if_none_match=answer["ETag"]).status_code == 304
    assert Client().head(f"/media/products/{image.pk}/640.webp")["Content-Length"]


def test_a_width_that_a_picture_lacks_gives_the_next_smaller_one() -> None:
    image = add(plain("ring"), (200, 100))
    assert image.widths == [200]
    for width in (320, 1280):
        assert opened(b"".join(get(image, width).streaming_content)).width == 200
    assert get(image, 333).status_code == 404


def test_the_same_picture_is_added_once() -> None:
    ring = plain("ring")
    assert add(ring).pk == add(ring).pk
    assert add(plain("other")).pk != add(ring).pk


def test_what_is_no_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    ring = plain("ring")
    with pytest.raises(UnsupportedMediaType):
        add_picture(product_id=ring.pk, upload=upload(b"<svg/>" * 9), actor_id=None)
    with pytest.raises(InvalidPicture):
        add_picture(product_id=ring.pk, upload=upload(photo()[:90]), actor_id=None)
    with pytest.raises(Invalid):
        add(ring, shows=["metal:lead"])
    assert (StoredFile.objects.count(), stored(tmp_path)) == (0, 0)


def test_order_and_words_can_be_changed() -> None:
    ring = make_product("ring")
    first, second = add(ring), add(ring, (900, 700), shows=["metal:gold"])
    order_pictures(product_id=ring.pk, image_ids=[second.pk], actor_id=None)
    change_picture(product_id=ring.pk, image_id=first.pk, alt="Side", shows=None, actor_id=None)
    images = product_shown("elysium", "ring").images
    assert [(image.pk, image.alt, image.shows) for image in images] == [
        (second.pk, "", ["metal:gold"]),
        (first.pk, "Side", []),
    ]
    order_pictures(product_id=ring.pk, image_ids=[first.pk, second.pk], actor_id=None)
    assert cards_of([ring], "USD")[0].image == first
    assert cards_of([ring], "USD", showing=["metal:gold"])[0].image == second


def test_a_deleted_picture_takes_its_files_along(tmp_path: Path) -> None:
    ring, other = plain("ring"), plain("other")
    image = add(ring)
    assert stored(tmp_path) == 4
    with pytest.raises(PictureMissing):
        delete_picture(product_id=other.pk, image_id=image.pk, actor_id=None)
    delete_picture(product_id=ring.pk, image_id=image.pk, actor_id=None)
    assert (StoredFile.objects.count(), stored(tmp_path)) == (0, 0)
    assert get(image, 640).status_code == 404


def test_a_collection_has_one_picture_of_its_own(tmp_path: Path) -> None:
    draft = CollectionDraft("dawn", "Dawn")
    collection = save_collection(storefront="elysium", draft=draft, actor_id=None)
    for size in ((400, 300), (800, 300), (800, 300)):
        image = show_collection_with(
            collection_id=collection.pk, upload=upload(photo(size=size)), actor_id=None
        )
    assert ProductImage.objects.get() == image
    assert opened(b"".join(get(image, 640).streaming_content)).width == 640
    delete_collection(storefront="elysium", collection_id=collection.pk, actor_id=collection.pk)
    assert stored(tmp_path) == 0


def test_transparency_and_grey_survive() -> None:
    ring = plain("ring")
    out = io.BytesIO()
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(out, "PNG")
    image = add_picture(product_id=ring.pk, upload=upload(out.getvalue()), actor_id=None)
    assert opened(b"".join(get(image, 320).streaming_content)).mode == "RGBA"
    grey = photo(mode="L", size=(400, 300))
    image = add_picture(product_id=ring.pk, upload=upload(grey), actor_id=None)
    assert opened(b"".join(get(image, 320).streaming_content)).size == (320, 240)
