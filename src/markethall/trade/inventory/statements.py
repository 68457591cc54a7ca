"""The statements of stock's hot paths. A row of stock items is locked before its reservations are
touched, and a statement that reads reservations follows the one that locks."""

from __future__ import annotations

_LOW = (
    "CASE WHEN s.is_counted AND s.low_at > 0 AND {available} <= s.low_at"
    " THEN COALESCE(s.low_since, %(now)s) END"
)

# One statement for a checkout's first reservation, where there is enough: locks, checks the fresh
# rows, and writes, or changes nothing. The update takes all that the table's checks look at from
# the fresh rows: PostgreSQL checks what it makes of the statement's snapshot first, and only then
# sees that the row has changed.
RESERVE = f"""
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(items)s::uuid[], %(pieces)s::int[])
                    AS w (id, item_id, pieces)
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.is_counted, s.on_hand, s.reserved, w.id, w.pieces
      FROM inventory_stockitem s JOIN wanted w ON w.item_id = s.variant_id
     ORDER BY s.variant_id FOR NO KEY UPDATE OF s
), fits AS MATERIALIZED (
    SELECT count(*) = cardinality(%(items)s::uuid[])
           AND bool_and(NOT is_counted OR on_hand - reserved >= pieces)
           AND NOT EXISTS (
               SELECT FROM inventory_reservation WHERE reference = %(reference)s
           ) AS all_of
      FROM locked
), kept AS (
    INSERT INTO inventory_reservation
           (id, reference, item_id, quantity, state, expires_at, created_at)
    SELECT l.id, %(reference)s, l.variant_id, l.pieces, 'held', %(expires_at)s, %(now)s
      FROM locked l, fits WHERE fits.all_of
)
UPDATE inventory_stockitem s
   SET is_counted = l.is_counted, on_hand = l.on_hand, reserved = l.reserved + l.pieces,
       low_since = {_LOW.format(available="l.on_hand - l.reserved - l.pieces")}
  FROM locked l, fits
 WHERE fits.all_of AND s.variant_id = l.variant_id
"""  # noqa: S608, no value of anybody's

# The same for one that had reserved before, or for which others had to let go: checked already.
RESERVE_AGAIN = f"""
WITH kept AS (
    INSERT INTO inventory_reservation
           (id, reference, item_id, quantity, state, expires_at, created_at)
    SELECT w.id, %(reference)s, w.item_id, w.pieces, 'held', %(expires_at)s, %(now)s
      FROM unnest(%(ids)s::uuid[], %(items)s::uuid[], %(pieces)s::int[])
             AS w (id, item_id, pieces)
    ON CONFLICT (reference, item_id) DO UPDATE
       SET quantity = EXCLUDED.quantity, state = 'held', expires_at = EXCLUDED.expires_at
     WHERE inventory_reservation.state <> 'committed'
    RETURNING item_id, quantity
)
UPDATE inventory_stockitem s
   SET reserved = s.reserved + kept.quantity,
       low_since = {_LOW.format(available="s.on_hand - s.reserved - kept.quantity")}
  FROM kept WHERE s.variant_id = kept.item_id
"""  # noqa: S608, no value of anybody's

# Those that are wanted, and those of which something is held by reference.
LOCK = """
SELECT variant_id, is_counted, on_hand, reserved FROM inventory_stockitem
 WHERE variant_id = ANY(%(items)s)
    OR variant_id IN (
        SELECT item_id FROM inventory_reservation
         WHERE reference = ANY(%(references)s) AND state = 'held'
    )
 ORDER BY variant_id FOR NO KEY UPDATE
"""

RESERVED = """
SELECT reference, item_id, quantity, state FROM inventory_reservation
 WHERE reference = ANY(%(references)s)
"""

# Of locked items: what these references hold, and what has lapsed, but for those who keep it.
FREE = f"""
WITH freed AS (
    UPDATE inventory_reservation SET state = 'released'
     WHERE state = 'held' AND item_id = ANY(%(items)s)
       AND (reference = ANY(%(references)s)
            OR (expires_at <= %(now)s AND reference <> ALL(%(keep)s)))
    RETURNING item_id, quantity
), sums AS (
    SELECT item_id, sum(quantity)::int AS pieces FROM freed GROUP BY item_id
)
UPDATE inventory_stockitem s
   SET reserved = s.reserved - sums.pieces,
       low_since = {_LOW.format(available="s.on_hand - s.reserved + sums.pieces")}
  FROM sums WHERE s.variant_id = sums.item_id
RETURNING s.variant_id, sums.pieces
"""  # noqa: S608, no value of anybody's

# Of locked items: pieces that leave for good, from what their reference held (``held``) or else.
SELL = f"""
WITH sold AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(references)s::uuid[], %(items)s::uuid[], %(pieces)s::int[],
        %(held)s::int[], %(counted)s::boolean[], %(levels)s::int[]
    ) AS w (id, reference, item_id, pieces, held, is_counted, on_hand)
), kept AS (
    INSERT INTO inventory_reservation
           (id, reference, item_id, quantity, state, expires_at, created_at)
    SELECT id, reference, item_id, pieces, 'committed', %(now)s, %(now)s FROM sold
    ON CONFLICT (reference, item_id) DO UPDATE
       SET quantity = EXCLUDED.quantity, state = 'committed'
), moved AS (
    INSERT INTO inventory_stockmove
           (id, item_id, change, on_hand, reason, note, reference, at)
    SELECT id, item_id, -pieces, on_hand, 'sold', '', reference, %(now)s
      FROM sold WHERE is_counted
), sums AS (
    SELECT item_id, sum(held)::int AS held,
           COALESCE(sum(pieces) FILTER (WHERE is_counted), 0)::int AS pieces
      FROM sold GROUP BY item_id
)
UPDATE inventory_stockitem s
   SET on_hand = s.on_hand - sums.pieces, reserved = s.reserved - sums.held, updated_at = %(now)s,
       low_since = {_LOW.format(available="s.on_hand - sums.pieces - s.reserved + sums.held")}
  FROM sums WHERE s.variant_id = sums.item_id
"""  # noqa: S608, no value of anybody's

# Of locked items: levels that change, each with its entry in the history.
CHANGE = f"""
WITH changed AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(items)s::uuid[], %(changes)s::int[], %(levels)s::int[]
    ) AS c (id, item_id, change, on_hand)
), moved AS (
    INSERT INTO inventory_stockmove
           (id, item_id, change, on_hand, reason, note, reference, actor_id, at)
    SELECT id, item_id, change, on_hand, %(reason)s, %(note)s, %(reference)s, %(actor_id)s, %(now)s
      FROM changed
)
UPDATE inventory_stockitem s
   SET on_hand = c.on_hand, updated_at = %(now)s,
       low_since = {_LOW.format(available="c.on_hand - s.reserved")}
  FROM changed c WHERE s.variant_id = c.item_id
"""  # noqa: S608, no value of anybody's

LAPSED = """
SELECT DISTINCT item_id FROM inventory_reservation
 WHERE state = 'held' AND expires_at <= %(now)s LIMIT %(most)s
"""

AVAILABLE = """
SELECT s.variant_id, s.is_counted,
       s.on_hand - s.reserved + COALESCE(free.pieces, 0)
  FROM inventory_stockitem s
  LEFT JOIN (
      SELECT item_id, sum(quantity) AS pieces FROM inventory_reservation
       WHERE state = 'held' AND item_id = ANY(%(items)s)
         AND (expires_at <= %(now)s OR reference = %(reference)s)
       GROUP BY item_id
  ) free ON free.item_id = s.variant_id
 WHERE s.variant_id = ANY(%(items)s)
"""
