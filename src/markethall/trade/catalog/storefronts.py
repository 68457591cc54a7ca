"""The storefronts of the hall, as papers and mails name them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Storefront:
    """``accent`` is a red-green-blue triple that is readable on white. ``currencies`` are what its
    goods can be bought in, the default first."""

    slug: str
    name: str
    accent: tuple[int, int, int]
    currencies: tuple[str, ...] = ("USD",)
    has_goods: bool = False

    @property
    def currency(self) -> str:
        """The default currency."""
        return self.currencies[0]

    @property
    def path(self) -> str:
        return f"/{self.slug}"


_ALL = {
    shop.slug: shop
    for shop in (
        Storefront("plushify", "Plushify", (201, 40, 95)),
        Storefront("mybeing", "MyBeing", (43, 102, 86)),
        Storefront("elysium", "ELYSIUM", (21, 18, 14), ("USD", "EUR", "GBP", "JPY"), True),
        Storefront("market", "Market", (29, 67, 232), has_goods=True),
    )
}


def storefronts() -> list[str]:
    """The slugs of all storefronts."""
    return list(_ALL)


def goods_storefronts() -> list[Storefront]:
    """Those that sell products; the first is meant where nobody says which."""
    return [shop for shop in _ALL.values() if shop.has_goods]


def storefront(slug: str) -> Storefront:
    """A storefront by its slug; raises KeyError for one there is not."""
    return _ALL[slug]
