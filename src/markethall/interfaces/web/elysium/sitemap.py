"""What search engines shall read of the shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree as xml

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from markethall.interfaces.web.elysium.frame import STOREFRONT
from markethall.interfaces.web.verbs import read_only
from markethall.trade.catalog.models import Product, ProductStatus
from markethall.trade.catalog.queries import categories_shown, collections_shown

_MOST = 40_000  # addresses of one file, which may have 50,000
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
_PLAIN = ("", "/shop", "/collections", "/bespoke", "/size-guide", "/delivery")


@read_only
@cache_control(max_age=3600, public=True)
def sitemap(request: HttpRequest) -> HttpResponse:
    """All pages of the shop that are the same for everybody."""
    root = xml.Element("urlset", xmlns=_SCHEMA)
    for path, changed in _pages():
        entry = xml.SubElement(root, "url")
        xml.SubElement(entry, "loc").text = f"{settings.SITE_URL}{path}"
        if changed:
            xml.SubElement(entry, "lastmod").text = changed.isoformat(timespec="seconds")
    content = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(content, content_type="application/xml")


def _pages() -> Iterator[tuple[str, datetime | None]]:
    for page in _PLAIN:
        yield f"/elysium{page}", None
    for category in categories_shown(STOREFRONT):
        yield f"/elysium/shop/{category.path}", None
    for collection in collections_shown(STOREFRONT):
        yield f"/elysium/collections/{collection.slug}", None
    shown = Product.objects.filter(storefront=STOREFRONT, status=ProductStatus.ACTIVE)
    for slug, changed in shown.order_by("position", "-id").values_list("slug", "updated_at")[
        :_MOST
    ]:
        yield f"/elysium/pieces/{slug}", changed
