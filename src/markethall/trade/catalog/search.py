"""What somebody typed, as a query of the full-text index."""

from __future__ import annotations

import difflib
import re

from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery
from django.db import connection

from markethall.trade.catalog.models import Product, ProductStatus

CONFIG = "english"
MAX_LENGTH = 200
_LAST_WORD = re.compile(r"(?:^|.*\s)([^\W_]{2,})$", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{4,40}")
_CLOSE = 0.7  # of difflib's ratio, 0 to 1
_NEAR = 0.5  # enough to be offered, not to be searched for unasked
_MAX_WORDS = 10  # of a search that are looked at one by one
MAX_NEARBY = 6
_ALIKE = """
SELECT asked.word, alike.word
  FROM unnest(%(words)s::text[]) AS asked (word)
 CROSS JOIN LATERAL (SELECT ARRAY(
     SELECT DISTINCT substr('  ' || asked.word || ' ', n, 3)
       FROM generate_series(1, length(asked.word) + 1) AS n)::varchar[] AS all_of) trigrams
 CROSS JOIN LATERAL (
     SELECT w.word FROM catalog_searchword w
      WHERE w.storefront = %(storefront)s AND w.trigrams && trigrams.all_of
      ORDER BY cardinality(ARRAY(
          SELECT unnest(w.trigrams) INTERSECT SELECT unnest(trigrams.all_of))) DESC, w.word
      LIMIT 20) alike
"""
# Of words that find the same, only the first.
_FINDING = """
SELECT word FROM (
    SELECT DISTINCT ON (asked.query) asked.word, asked.place FROM (
        SELECT word, place, plainto_tsquery(%(config)s::regconfig, word) AS query
          FROM unnest(%(words)s::text[]) WITH ORDINALITY AS given (word, place)) asked
     WHERE EXISTS (
        SELECT 1 FROM catalog_product p JOIN catalog_productprice r ON r.product_id = p.id
         WHERE p.storefront = %(storefront)s AND p.status = 'active' AND p.search @@ asked.query
           AND r.currency = %(currency)s AND r.is_shown)
     ORDER BY asked.query, asked.place) found
 ORDER BY place LIMIT %(limit)s
"""
Query = SearchQuery | CombinedSearchQuery


def query_of(text: str) -> Query:
    """Words, "phrases", OR and -without, as people write them to search engines; of the last word
    its beginning is enough."""
    text = text.replace("\x00", " ")[:MAX_LENGTH]
    whole = SearchQuery(text, search_type="websearch", config=CONFIG)
    found = _LAST_WORD.match(text)
    if not found or text.count('"') % 2:
        return whole
    begun = SearchQuery(f"{found[1]}:*", search_type="raw", config=CONFIG)
    before = text[: found.start(1)].strip()
    if not before:
        return whole | begun
    return whole | (SearchQuery(before, search_type="websearch", config=CONFIG) & begun)


def understood(*, storefront: str, q: str) -> str:
    """What to search for when somebody typed ``q``: the same where it finds something, else with
    mistyped words put right where there is one like them. At most two statements."""
    text = q.replace("\x00", " ").strip()[:MAX_LENGTH]
    if not text or _finds(storefront, text):
        return text
    words = _words(text)
    if not words:
        return text
    alike = _alike(storefront, words)

    def righted(match: re.Match[str]) -> str:
        word = match[0].lower()
        close = difflib.get_close_matches(word, alike.get(word, ()), n=1, cutoff=_CLOSE)
        return close[0] if close else match[0]

    return _WORD.sub(righted, text)


def nearby(*, storefront: str, currency: str, q: str) -> list[str]:
    """Words to search for instead of ``q``, which found nothing: each of its own, where there are
    several, then known ones that are spelt nearly alike. Every one finds something that is sold in
    ``currency``. At most MAX_NEARBY, by two statements."""
    words = _words(q)
    if not words:
        return []
    are_several = len(q.split()) > 1
    offered = list(words) if are_several else []
    for word, known in _alike(storefront, words).items():
        if are_several and word in known:
            continue
        offered += difflib.get_close_matches(word, known, n=3, cutoff=_NEAR)
    values = {
        "words": list(dict.fromkeys(offered)),
        "storefront": storefront,
        "currency": currency,
        "config": CONFIG,
        "limit": MAX_NEARBY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINDING, values)
        return [word for (word,) in cursor.fetchall()]


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))[:_MAX_WORDS]


def _alike(storefront: str, words: list[str]) -> dict[str, list[str]]:
    """For each of ``words``, known ones that share the most trigrams with it."""
    alike: dict[str, list[str]] = {word: [] for word in words}
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE, {"words": words, "storefront": storefront})
        for asked, known in cursor.fetchall():
            alike[asked].append(known)
    return alike


def _finds(storefront: str, text: str) -> bool:
    found = Product.objects.filter(storefront=storefront, status=ProductStatus.ACTIVE)
    return found.filter(search=query_of(text)).exists()
