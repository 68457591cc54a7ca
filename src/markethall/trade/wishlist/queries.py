from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from markethall.foundation.accounts.models import User
from markethall.kernel.money import Money
from markethall.trade.catalog.errors import ConfigurationInvalid, NotSoldInCurrency
from markethall.trade.catalog.models import Product, ProductImage, ProductStatus
from markethall.trade.catalog.queries import images_of
from markethall.trade.catalog.rules import Outline, outline, pictures_of
from markethall.trade.catalog.specs import specs_of
from markethall.trade.wishlist.errors import WishlistMissing
from markethall.trade.wishlist.models import WishlistItem, WishlistLink


@dataclass(frozen=True, slots=True)
class Wished:
    """A wish with its price of now. ``outline`` is None when nothing was chosen, or what was
    chosen can no longer be had. ``picture`` is of what was chosen."""

    item: WishlistItem
    outline: Outline | None
    can_be_bought: bool
    picture: ProductImage | None

    @property
    def price(self) -> Money | None:
        """What a piece costs as chosen; None where that depends on more."""
        return self.outline.price if self.outline and self.outline.is_exact else None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to choose."""
        return self.outline is not None and not self.outline.missing

    @property
    def shown(self) -> Sequence[tuple[str, str]]:
        """What was chosen, for people."""
        return self.outline.shown if self.outline else ()


def items_of(user: User, *, storefront: str = "") -> QuerySet[WishlistItem]:
    """Somebody's wishes, at one storefront or all."""
    items = WishlistItem.objects.filter(user=user).select_related("product__category")
    return items.filter(product__storefront=storefront) if storefront else items


def wished(items: list[WishlistItem], currency: str) -> list[Wished]:
    """Wishes with their prices in ``currency`` and their pictures; two statements for all."""
    specs = specs_of(item.product_id for item in items)
    images: dict[UUID, list[ProductImage]] = defaultdict(list)
    for image in images_of(item.product_id for item in items):
        if image.product_id:
            images[image.product_id].append(image)
    found = []
    for item in items:
        found_now = None
        if item.configuration:
            try:
                found_now = outline(specs[item.product_id], item.configuration, currency)
            except (ConfigurationInvalid, NotSoldInCurrency):
                found_now = None
        sold = item.product.status == ProductStatus.ACTIVE
        sold = sold and currency in specs[item.product_id].prices
        can_be_bought = sold and bool(found_now or not item.configuration)
        suiting = pictures_of(images[item.product_id], item.configuration)
        found.append(Wished(item, found_now, can_be_bought, suiting[0] if suiting else None))
    return found


def owner_of(token: str) -> User:
    """Whose shared list a link opens. Raises WishlistMissing."""
    link = WishlistLink.objects.select_related("user").filter(token=token).first()
    if link is None or not link.user.is_active:
        raise WishlistMissing
    return link.user


def name_shown(owner: User) -> str:
    """What a shared list calls its owner: their first name, never a part of their address."""
    return (owner.name.split() or ["Somebody"])[0]


def link_of(user: User) -> str:
    """The address of somebody's shared list; empty while it is not shared."""
    token = WishlistLink.objects.filter(user=user).values_list("token", flat=True).first()
    return f"{settings.SITE_URL}/wishlist/{token}" if token else ""


def is_wished(user: User, product: Product, mark: str) -> bool:
    """Whether a product is on somebody's list, just so configured."""
    return WishlistItem.objects.filter(user=user, product=product, mark=mark).exists()
