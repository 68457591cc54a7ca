"""What decides the prices of products, read by one statement for any number of them, and kept until
the catalogue changes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from django.db import connection

from markethall.trade.catalog.revision import read_at
from markethall.trade.catalog.rules import Choice, OptionSpec, ProductSpec

_MOST_KEPT = 500  # products

_SPECS = """
WITH effects AS (
    SELECT e.value_id, jsonb_object_agg(e.currency, e.amount) AS by_currency
      FROM catalog_priceeffect e
      JOIN catalog_optionvalue v ON v.id = e.value_id
      JOIN catalog_option o ON o.id = v.option_id
     WHERE o.product_id = ANY(%(ids)s) GROUP BY e.value_id
), choices AS (
    SELECT v.option_id, jsonb_agg(jsonb_build_object(
               'code', v.code, 'name', v.name, 'swatch', v.swatch,
               'effects', COALESCE(e.by_currency, '{}')) ORDER BY v.position, v.id) AS all_of
      FROM catalog_optionvalue v
      JOIN catalog_option o ON o.id = v.option_id
      LEFT JOIN effects e ON e.value_id = v.id
     WHERE o.product_id = ANY(%(ids)s) AND v.is_active GROUP BY v.option_id
), options AS (
    SELECT o.product_id, jsonb_agg(jsonb_build_object(
               'code', o.code, 'name', o.name, 'kind', o.kind, 'help', o.help_text,
               'required', o.is_required, 'stocked', o.is_stocked, 'default', o.has_default,
               'length', o.max_length, 'allowed', o.allowed, 'choices', COALESCE(c.all_of, '[]')
           ) ORDER BY o.position, o.id) AS all_of
      FROM catalog_option o LEFT JOIN choices c ON c.option_id = o.id
     WHERE o.product_id = ANY(%(ids)s) GROUP BY o.product_id
)
SELECT p.id, COALESCE(o.all_of, '[]'), COALESCE(
           (SELECT jsonb_object_agg(r.currency, r.amount)
              FROM catalog_productprice r WHERE r.product_id = p.id), '{}')
  FROM catalog_product p LEFT JOIN options o ON o.product_id = p.id
 WHERE p.id = ANY(%(ids)s)
"""


def specs_of(product_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ProductSpec]:
    """The specs of products by id, whatever their status; one statement. Within
    ``revision.as_of``, none for those that are kept since."""
    ids = set(product_ids)
    if not (at := read_at()):
        return _read(ids)
    known = _kept_at(at)
    found = {each: known[each] for each in ids if each in known}
    if missing := ids - found.keys():
        read = _read(missing)
        if len(known) < _MOST_KEPT:
            known.update(read)
        found |= read
    return found


@lru_cache(maxsize=2)
def _kept_at(at: str) -> dict[uuid.UUID, ProductSpec]:
    """What was read at a revision of the catalogue, or after it."""
    return {}


def _read(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ProductSpec]:
    with connection.cursor() as cursor:
        cursor.execute(_SPECS, {"ids": list(ids)})
        return {
            product_id: ProductSpec(_json(prices), [_option(each) for each in _json(options)])
            for product_id, options, prices in cursor.fetchall()
        }


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _option(row: dict[str, Any]) -> OptionSpec:
    choices = {
        each["code"]: Choice(each["code"], each["name"], each["effects"], each["swatch"])
        for each in row["choices"]
    }
    is_text = row["kind"] == "text"
    return OptionSpec(
        code=row["code"],
        name=row["name"],
        is_required=row["required"],
        is_stocked=row["stocked"],
        choices={} if is_text else choices,
        max_length=row["length"] if is_text else None,
        allowed=row["allowed"],
        effects=next((each.effects for each in choices.values()), {}) if is_text else None,
        help_text=row["help"],
        has_default=row["default"],
    )
