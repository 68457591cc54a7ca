"""What the frame of a shop's pages shows: its menu, its currencies, the pieces in the bag."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from markethall.interfaces.web.elysium import ring_sizes as sizes
from markethall.interfaces.web.elysium.bags import pieces_of
from markethall.interfaces.web.elysium.frame import Currencies, Menu, currencies_of, menu_of
from markethall.interfaces.web.elysium.ring_sizes import RingSize
from markethall.trade.catalog.models import ProductImage
from markethall.trade.catalog.pictures import picture_path

register = template.Library()
_EAGER = mark_safe(' fetchpriority="high"')
_LAZY = mark_safe(' loading="lazy" decoding="async"')
_ESCAPED = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@register.simple_tag(takes_context=True)
def shop_menu(context: dict[str, Any], storefront: str) -> Menu:
    """The categories and collections of a storefront, looked up once a request."""
    request = context["request"]
    if not hasattr(request, "_shop_menu"):
        request._shop_menu = menu_of(storefront)
    return request._shop_menu


@register.simple_tag(takes_context=True)
def bag_count(context: dict[str, Any]) -> int:
    """How many pieces lie in the bag of who looks."""
    return pieces_of(context["request"])


@register.simple_tag(takes_context=True)
def currencies(context: dict[str, Any], storefront: str) -> Currencies:
    """The currencies of a storefront, and the one that is chosen."""
    return currencies_of(context["request"], storefront)


@register.simple_tag
def ring_sizes() -> list[RingSize]:
    """The sizes that rings are made in, and what they are called elsewhere."""
    return sizes.ring_sizes()


@register.simple_tag
def product_picture(
    image: ProductImage, sizes: str = "100vw", eager: bool = False, alt: str | None = None
) -> SafeString:
    """A picture in all its widths."""
    return format_html(
        '<img src="{}" srcset="{}" sizes="{}" alt="{}" width="{}" height="{}"{}>',
        picture_url(image, 640),
        srcset(image),
        sizes,
        image.alt if alt is None else alt,
        image.file.width,
        image.file.height,
        _EAGER if eager else _LAZY,
    )


@register.simple_tag
def picture_preload(image: ProductImage, sizes: str) -> SafeString:
    """Have the browser fetch a page's large picture before it knows where it stands."""
    return format_html(
        '<link rel="preload" as="image" href="{}" imagesrcset="{}" imagesizes="{}">',
        picture_url(image, 640),
        srcset(image),
        sizes,
    )


@register.simple_tag
def picture_url(image: ProductImage, width: int) -> str:
    """The address of a picture in a width."""
    return picture_path(image.pk, width)


def srcset(image: ProductImage) -> str:
    return ", ".join(f"{picture_url(image, width)} {width}w" for width in image.widths)


@register.simple_tag
def ld_json(document: Any) -> SafeString:
    """What search engines read about a page: data, which no browser runs."""
    text = json.dumps(document, ensure_ascii=False, cls=DjangoJSONEncoder).translate(_ESCAPED)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308, escaped above
