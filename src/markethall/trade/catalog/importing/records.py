"""What a file says, before anything of it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markethall.trade.catalog.actions.categories import CategoryDraft
from markethall.trade.catalog.actions.collections import CollectionDraft
from markethall.trade.catalog.drafts import ProductDraft


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line of the file; ``where`` names a column, a field or a document."""

    line: int
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture beside the file, by its path there."""

    path: str
    alt: str = ""
    shows: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    line: int
    draft: CategoryDraft


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    line: int
    draft: CollectionDraft
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """``status`` is empty where the file says none. ``line`` is where the product begins; of parts
    that stand on lines of their own, ``lines`` has them by path: ``options.0.values.1``."""

    line: int
    draft: ProductDraft
    status: str = ""
    pictures: Sequence[Picture] = ()
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int:
        """The line of the field that ``path`` names, or of what it is a part of."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines[path] if path else self.line


@dataclass(slots=True)
class Bundle:
    """All that was understood of a file, in the order in which it can be saved, and the faults of
    the rest. ``passed_over`` counts documents of kinds that are no goods."""

    categories: list[CategoryRecord] = field(default_factory=list)
    collections: list[CollectionRecord] = field(default_factory=list)
    products: list[ProductRecord] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    passed_over: int = 0

    @property
    def total(self) -> int:
        return len(self.categories) + len(self.collections) + len(self.products)
