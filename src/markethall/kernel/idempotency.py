"""``Idempotency-Key``: the same key and body gives the first answer again.

A kept answer is written in the transaction of the change it answers, so there is never one
without the other. Of two requests that come at once, the second waits for the first at the
unique key, rolls back, and answers with the first's answer. Only successes are kept: a refusal
changed nothing, and may turn out otherwise the next time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from markethall.kernel import clock
from markethall.kernel.errors import Problem
from markethall.kernel.models import IdempotentAnswer

KEEP = timedelta(days=7)


class IdempotencyMismatch(Problem):
    status, code = 422, "idempotency_mismatch"
    title = "This Idempotency-Key was used with another request"


class IdempotencyKeyInvalid(Problem):
    status, code = 400, "idempotency_key_invalid"
    title = "An Idempotency-Key has 1 to 255 visible ASCII characters"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; ``replayed`` when an earlier request made them."""

    status: int
    body: Any
    replayed: bool = False


def once(
    *,
    scope: str,
    key: str | None,
    request_body: bytes,
    act: Callable[[], Answer],
    durable: bool = True,
) -> Answer:
    """Run ``act`` unless ``key`` has been used in ``scope``; then give the first answer.

    ``scope`` names the caller and the endpoint. With ``durable`` the act and its answer are one
    transaction; without it the act commits by itself (it calls a provider in between) and must
    be idempotent by the same key.
    Raises IdempotencyMismatch when the key came with another body.
    """
    if key is None:
        return act()
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyInvalid
    body_hash = hashlib.sha256(request_body).hexdigest()
    kept = _kept(scope, key, body_hash)
    if kept:
        return kept
    try:
        if not durable:
            answer = act()
            with transaction.atomic():
                _keep(scope, key, body_hash, answer)
            return answer
        with transaction.atomic():
            answer = act()
            _keep(scope, key, body_hash, answer)
        return answer
    except (IntegrityError, Problem):
        # A twin may have been quicker, and what it took be what this one was refused for.
        kept = _kept(scope, key, body_hash)
        if kept:
            return kept
        raise


def _kept(scope: str, key: str, body_hash: str) -> Answer | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body_hash, status, body::text FROM kernel_idempotentanswer"
            " WHERE scope = %s AND key = %s",
            [scope, key],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    if row[0] != body_hash:
        raise IdempotencyMismatch
    return Answer(row[1], json.loads(row[2]), replayed=True)


def _keep(scope: str, key: str, body_hash: str, answer: Answer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_idempotentanswer (scope, key, body_hash, status, body, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [scope, key, body_hash, answer.status, json.dumps(answer.body), clock.now()],
        )


def forget_old() -> int:
    """Delete answers older than ``KEEP``; returns how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=clock.now() - KEEP).delete()[0]
