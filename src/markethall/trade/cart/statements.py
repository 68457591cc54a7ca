"""The SQL of carts, where one statement does what the ORM would need several for."""

from __future__ import annotations

# Makes the cart where there is none and locks it where there is one; puts the line in, or adds to
# the same one. Answers the cart, with the line's id where one fits, and how many lines there were
# before it waited for the lock.
_ADD = """
WITH basket AS (
    INSERT INTO cart_cart AS c (id, storefront, user_id, visitor_digest, currency, voucher,
                                created_at, updated_at)
    VALUES (%(cart)s, %(storefront)s, %(user)s, %(visitor)s, %(currency)s, '', %(now)s, %(now)s)
    ON CONFLICT ({owner}, storefront) DO UPDATE SET updated_at = EXCLUDED.updated_at
    RETURNING *
), added AS (
    INSERT INTO cart_cartline AS l (id, cart_id, variant_id, configuration, mark, quantity,
                                    seen_amount, added_at)
    SELECT %(line)s::uuid, basket.id, v.id, %(configuration)s::jsonb, %(mark)s::text,
           %(quantity)s::int, %(seen)s::bigint, %(now)s::timestamptz
      FROM basket, catalog_variant v JOIN catalog_product p ON p.id = v.product_id
     WHERE v.product_id = %(product)s AND v.key = %(key)s AND v.is_active AND p.status = 'active'
       AND (SELECT count(*) FROM cart_cartline other
             WHERE other.cart_id = basket.id
               AND (other.variant_id, other.mark) <> (v.id, %(mark)s::text)) < %(lines)s::int
    ON CONFLICT (cart_id, variant_id, mark) DO UPDATE
       SET quantity = LEAST(%(most)s::int, l.quantity + EXCLUDED.quantity),
           seen_amount = EXCLUDED.seen_amount
    RETURNING id
)
SELECT basket.*, (SELECT id FROM added) AS line_id,
       (SELECT count(*) FROM cart_cartline WHERE cart_id = basket.id) AS lines_before
  FROM basket
"""
ADD = {
    "user": _ADD.format(owner="user_id"),
    "visitor": _ADD.format(owner="visitor_digest"),
}

SEEN = """
UPDATE cart_cartline AS l SET seen_amount = told.amount
  FROM unnest(%s::uuid[], %s::bigint[]) AS told (id, amount)
 WHERE l.id = told.id AND l.cart_id = %s
"""

# The user's cart at the storefront of a visitor's: made in its currency where there is none.
CART_OF_USER = """
INSERT INTO cart_cart AS c (id, storefront, user_id, visitor_digest, currency, voucher, created_at,
                            updated_at)
SELECT %(id)s::uuid, v.storefront, %(user)s::uuid, NULL, v.currency, v.voucher,
       %(now)s::timestamptz, %(now)s::timestamptz
  FROM cart_cart v WHERE v.id = %(cart)s
ON CONFLICT (user_id, storefront) DO UPDATE
   SET updated_at = EXCLUDED.updated_at,
       voucher = CASE WHEN c.voucher = '' THEN EXCLUDED.voucher ELSE c.voucher END
"""

JOIN_LINES = """
INSERT INTO cart_cartline AS l (id, cart_id, variant_id, configuration, mark, quantity, seen_amount,
                                added_at)
SELECT gen_random_uuid(), own.id, g.variant_id, g.configuration, g.mark, g.quantity,
       CASE WHEN own.currency = v.currency THEN g.seen_amount ELSE 0 END, g.added_at
  FROM cart_cart v
  JOIN cart_cartline g ON g.cart_id = v.id
  JOIN cart_cart own ON own.user_id = %(user)s AND own.storefront = v.storefront
 WHERE v.id = %(cart)s
ON CONFLICT (cart_id, variant_id, mark) DO UPDATE
   SET quantity = LEAST(%(most)s::int, l.quantity + EXCLUDED.quantity),
       added_at = GREATEST(l.added_at, EXCLUDED.added_at)
"""

JOIN_ORDERS = """
UPDATE cart_cartorder AS o SET cart_id = own.id
  FROM cart_cart v JOIN cart_cart own ON own.storefront = v.storefront
 WHERE o.cart_id = v.id AND v.id = %(cart)s AND own.user_id = %(user)s
"""
