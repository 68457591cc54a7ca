from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection

from markethall.insight.analytics.models import Glance
from markethall.insight.analytics.rules import KEEP_GLANCES, SAME_VIEW
from markethall.kernel import clock
from markethall.kernel.ids import new_id

# The glance that stood before is read before it is replaced: all parts see the same snapshot.
_LOOK = """
WITH before AS (
    SELECT at FROM analytics_glance WHERE viewer = %(viewer)s AND product_id = %(product)s
), glance AS (
    INSERT INTO analytics_glance (id, viewer, product_id, at)
    VALUES (%(glance)s, %(viewer)s, %(product)s, %(now)s)
    ON CONFLICT (viewer, product_id) DO UPDATE SET at = excluded.at
)
INSERT INTO analytics_viewcount AS c (id, product_id, day, views)
SELECT %(count)s, %(product)s, %(day)s, 1
 WHERE NOT EXISTS (SELECT 1 FROM before WHERE at > %(since)s)
ON CONFLICT (product_id, day) DO UPDATE SET views = c.views + 1
"""
_JOIN = """
WITH gone AS (DELETE FROM analytics_glance WHERE viewer = %(visitor)s RETURNING *)
INSERT INTO analytics_glance AS g (id, viewer, product_id, at)
SELECT id, %(user)s, product_id, at FROM gone ORDER BY product_id
ON CONFLICT (viewer, product_id) DO UPDATE SET at = greatest(g.at, excluded.at)
"""


def look(*, viewer: str, product_id: uuid.UUID) -> None:
    """Somebody looks at a product; the same one within half an hour counts once."""
    now = clock.now()
    values = {
        "viewer": viewer,
        "product": product_id,
        "glance": new_id(),
        "count": new_id(),
        "now": now,
        "day": now.date(),
        "since": now - SAME_VIEW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, values)


def join(*, visitor: str, user: str) -> None:
    """What a visitor has looked at becomes a user's; both are names as ``viewer_of`` gives them."""
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, {"visitor": visitor, "user": user})


def forget(viewer: str) -> None:
    """Forget what somebody looked at; the counts stay."""
    Glance.objects.filter(viewer=viewer).delete()


def forget_old_glances(now: datetime) -> int:
    """Forget who looked at what before the time for which it is remembered."""
    return Glance.objects.filter(at__lt=now - KEEP_GLANCES).delete()[0]
