"""How many products each facet of a list has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from markethall.kernel.pagination import Count
from markethall.trade.catalog.models import Facet, Product

# Products that are counted. Of a longer list, counts say how many there are at least.
COUNTED = 1000
_FIRST = {"category": 0, "collection": 2, "tag": 3}  # options in between


@dataclass(frozen=True, slots=True)
class FacetValue:
    """``key`` narrows the list: ``metal:gold``. ``swatch`` is a colour, or empty."""

    key: str
    name: str
    count: Count
    is_chosen: bool
    swatch: str = ""

    @property
    def value(self) -> str:
        return self.key.partition(":")[2]


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """All values of one name, with the name for people."""

    code: str
    name: str
    values: Sequence[FacetValue]


@dataclass(frozen=True, slots=True)
class Facets:
    """What a list can be narrowed by, and how many products it has."""

    total: Count
    groups: Sequence[FacetGroup]


def grouped(facets: Sequence[str]) -> dict[str, list[str]]:
    """Facets by their name: ``metal`` → ``metal:gold``, ``metal:silver``."""
    groups: dict[str, list[str]] = defaultdict(list)
    for facet in facets:
        name, colon, _ = facet.partition(":")
        if colon:
            groups[name].append(facet)
    return dict(groups)


def counted(
    storefront: str, lists: Mapping[str, QuerySet[Product]], chosen: Sequence[str]
) -> Facets:
    """Count facets: in ``lists[name]`` those of that name, which that list is not narrowed by, and
    all others in ``lists[""]``. Two statements."""
    numbers, totals = _numbers(lists)
    rows = {
        row.key: row
        for row in Facet.objects.filter(storefront=storefront, key__in={*numbers, *chosen})
    }
    groups: dict[str, list[tuple[tuple[int, str], FacetValue]]] = defaultdict(list)
    names: dict[str, str] = {}
    for key, row in rows.items():
        code = key.partition(":")[0]
        names[code] = row.group
        is_bound = totals[code if code in lists else ""].is_bound
        count = Count(numbers.get(key, 0), is_bound)
        value = FacetValue(key, row.name, count, key in chosen, row.swatch)
        groups[code].append(((row.position, row.name), value))
    return Facets(
        totals[""],
        tuple(
            FacetGroup(code, names[code], tuple(v for _, v in sorted(groups[code], key=_place)))
            for code in sorted(groups, key=lambda code: (_FIRST.get(code, 1), names[code]))
        ),
    )


def _place(pair: tuple[tuple[int, str], FacetValue]) -> tuple[int, str]:
    return pair[0]


def _numbers(lists: Mapping[str, QuerySet[Product]]) -> tuple[dict[str, int], dict[str, Count]]:
    """How many products have each facet, and how many each list has."""
    parts, values = [], []
    for name, products in lists.items():
        inner, inner_values = (
            products.order_by("position", "-id")
            .values("facets")[: COUNTED + 1]
            .query.sql_with_params()
        )
        parts.append(
            "SELECT %s::text, facet, COUNT(*)"  # noqa: S608, our own query
            f" FROM ({inner}) narrowed, unnest(narrowed.facets || ARRAY['']::varchar[]) AS facet"
            " GROUP BY facet"
        )
        values += [name, *inner_values]
    numbers: dict[str, int] = {}
    totals = dict.fromkeys(lists, Count(0))
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for name, facet, number in cursor.fetchall():
            code = facet.partition(":")[0]
            if not facet:
                totals[name] = Count(min(number, COUNTED), number > COUNTED)
            elif (code if code in lists else "") == name:
                numbers[facet] = number
    return numbers, totals
