"""What products are listed and found by, kept after every write: a few statements for any number
of products."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import connection

_PRICES = """
UPDATE catalog_productprice r
   SET storefront = p.storefront, is_shown = p.status = 'active',
       from_amount = r.amount + COALESCE((
           SELECT SUM(CASE WHEN o.is_required THEN w.least ELSE LEAST(w.least, 0) END)
             FROM catalog_option o CROSS JOIN LATERAL (
                 SELECT MIN(COALESCE(e.amount, 0)) AS least
                   FROM catalog_optionvalue v
                   LEFT JOIN catalog_priceeffect e
                     ON e.value_id = v.id AND e.currency = r.currency
                  WHERE v.option_id = o.id AND v.is_active) w
            WHERE o.product_id = p.id AND w.least IS NOT NULL), 0)
  FROM catalog_product p
 WHERE p.id = r.product_id AND p.id = ANY(%(ids)s)
"""
_FACETS = """
UPDATE catalog_product p SET facets = kept.facets, keywords = kept.keywords
  FROM (
    SELECT q.id, ARRAY(
        SELECT 'category:' || array_to_string((string_to_array(c.path, '/'))[1:depth], '/')
          FROM catalog_category c,
               generate_series(1, cardinality(string_to_array(c.path, '/'))) AS depth
         WHERE c.id = q.category_id
        UNION SELECT 'collection:' || k.slug FROM catalog_collectionitem i
          JOIN catalog_collection k ON k.id = i.collection_id
         WHERE i.product_id = q.id AND k.is_active
        UNION SELECT 'tag:' || t FROM unnest(q.tags) AS t
        UNION SELECT o.code || ':' || v.code FROM catalog_option o
          JOIN catalog_optionvalue v ON v.option_id = o.id
         WHERE o.product_id = q.id AND o.is_facet AND o.kind = 'choice' AND v.is_active
        ORDER BY 1) AS facets,
      CONCAT_WS(' ',
        (SELECT c.name FROM catalog_category c WHERE c.id = q.category_id),
        (SELECT string_agg(k.name, ' ' ORDER BY k.name) FROM catalog_collectionitem i
           JOIN catalog_collection k ON k.id = i.collection_id
          WHERE i.product_id = q.id AND k.is_active),
        (SELECT string_agg(t, ' ' ORDER BY t) FROM unnest(q.tags) AS t),
        (SELECT string_agg(v.name, ' ' ORDER BY v.name) FROM catalog_option o
           JOIN catalog_optionvalue v ON v.option_id = o.id
          WHERE o.product_id = q.id AND o.is_facet AND o.kind = 'choice' AND v.is_active)
      ) AS keywords
    FROM catalog_product q WHERE q.id = ANY(%(ids)s)) kept
 WHERE kept.id = p.id
   AND (p.facets::text[] IS DISTINCT FROM kept.facets OR p.keywords IS DISTINCT FROM kept.keywords)
"""
_NAMES = """
INSERT INTO catalog_facet (id, storefront, key, "group", name, swatch, position)
SELECT gen_random_uuid(), f.storefront, f.key, f.grp, f.name, f.swatch, f.position FROM (
    SELECT DISTINCT ON (1, 2) * FROM (
        SELECT p.storefront, o.code || ':' || v.code AS key, o.name AS grp, v.name AS name,
               v.swatch, v.position
          FROM catalog_product p JOIN catalog_option o ON o.product_id = p.id
          JOIN catalog_optionvalue v ON v.option_id = o.id
         WHERE p.id = ANY(%(ids)s) AND o.is_facet AND o.kind = 'choice' AND v.is_active
        UNION ALL
        SELECT p.storefront, 'tag:' || t, 'Tag', t, '', 0
          FROM catalog_product p, unnest(p.tags) AS t WHERE p.id = ANY(%(ids)s)
    ) each_one ORDER BY 1, 2) f
ON CONFLICT (storefront, key) DO UPDATE
   SET "group" = excluded."group", name = excluded.name, swatch = excluded.swatch,
       position = excluded.position
 WHERE (catalog_facet."group", catalog_facet.name, catalog_facet.swatch, catalog_facet.position)
       IS DISTINCT FROM (excluded."group", excluded.name, excluded.swatch, excluded.position)
"""
_WORDS = """
INSERT INTO catalog_searchword (id, storefront, word, trigrams)
SELECT gen_random_uuid(), w.storefront, w.word, ARRAY(
           SELECT DISTINCT substr('  ' || w.word || ' ', n, 3)
             FROM generate_series(1, length(w.word) + 1) AS n)
  FROM (SELECT DISTINCT p.storefront, word
          FROM catalog_product p,
               unnest(tsvector_to_array(
                   to_tsvector('simple', CONCAT_WS(' ', p.name, p.keywords, p.summary)))) AS word
         WHERE p.id = ANY(%(ids)s) AND word ~ '^[[:alpha:]]{4,40}$'
           AND ts_lexize('english_stem', word) <> '{}'  -- but not what no search looks for
         ORDER BY p.storefront, word) w
ON CONFLICT (storefront, word) DO NOTHING
"""


def refresh(product_ids: Iterable[uuid.UUID]) -> None:
    """Reckon afresh what products of these ids are listed and found by: their cheapest prices,
    facets with their names, and words. Four statements."""
    ids = list(product_ids)
    if not ids:
        return
    with connection.cursor() as cursor:
        for statement in (_PRICES, _FACETS, _NAMES, _WORDS):
            cursor.execute(statement, {"ids": ids})


def refresh_prices(product_ids: Iterable[uuid.UUID]) -> None:
    """Only the prices, for what has changed its price or whether it is shown."""
    with connection.cursor() as cursor:
        cursor.execute(_PRICES, {"ids": list(product_ids)})
