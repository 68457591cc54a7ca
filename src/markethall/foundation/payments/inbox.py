"""The inbox of webhooks: verified, stored once, settled by a job that can run any number of
times.

Intake is one statement, which looks at the job queue too. Settling is claimed for a while and not
locked, because the truth is asked of the gateway in between; a claim that lapses (the worker
died) is taken up again.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from markethall.foundation.audit.actions import record
from markethall.foundation.payments.errors import EventMissing
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.models import InboxEvent, InboxStatus
from markethall.kernel import clock, jobs, rows
from markethall.kernel.ids import new_id
from markethall.kernel.locking import lock_one
from markethall.kernel.retention import delete_oldest

MAX_ATTEMPTS = 8
LEASE = timedelta(minutes=2)
_BATCH = 100
# How long a job waits before its first look, in seconds. An intake that saw it waiting may commit
# a little after it has begun, and what comes together is settled together. What comes later still
# finds no job that waits, and wakes another; what is missed all the same, the sweep finds.
_MOMENT = 0.05
_JOB = "settle_inbox"

log = structlog.get_logger(__name__)

# One statement, committed by itself: the events, and whether a job waits that will settle them.
_STORE = """
WITH stored AS (
    INSERT INTO payments_inboxevent AS e (id, provider, event_id, type, payload, status, attempts,
                                          deliveries, outcome, received_at, due_at)
    SELECT id, provider, event_id, type, payload::jsonb, 'received', 0, deliveries, '', %s, %s
      FROM jsonb_to_recordset(%s::jsonb) AS arrived (
        id uuid, provider text, event_id text, type text, payload text, deliveries int)
    ON CONFLICT (provider, event_id) DO UPDATE SET deliveries = e.deliveries + EXCLUDED.deliveries
    RETURNING e.status
)
SELECT bool_or(status = 'received'), EXISTS (SELECT 1 FROM procrastinate_jobs
                                              WHERE queueing_lock = %s AND status = 'todo')
  FROM stored
"""

_CLAIM = """
UPDATE payments_inboxevent SET attempts = attempts + 1, due_at = %s
 WHERE id IN (SELECT id FROM payments_inboxevent
               WHERE status = 'received' AND due_at <= %s
               ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, provider, event_id, type, payload, attempts
"""

_CONCLUDE = """
UPDATE payments_inboxevent AS e
   SET status = ended.status, outcome = ended.outcome, settled_at = %s
  FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS ended (id, status, outcome)
 WHERE e.id = ended.id AND e.status = 'received'
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an event ended, with a sentence for whoever looks at the inbox."""

    status: InboxStatus
    text: str


class NotYet(Exception):
    """The event cannot be settled now; it is tried again later."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook that has been verified. ``payload`` is JSON."""

    provider: str
    event_id: str
    type: str
    payload: str


def verified(provider: str, headers: Mapping[str, str], body: bytes) -> Arrival:
    """A gateway's webhook, once its signature holds; asks no database.

    Raises InvalidSignature and UnknownGateway.
    """
    event = registry.named(provider).parse_webhook(headers, body)
    return Arrival(provider, event.id, event.type, body.decode())


def receive(provider: str, headers: Mapping[str, str], body: bytes) -> None:
    """Verify a webhook, store it once, and see that a job settles it.

    A repeated delivery is counted and changes nothing else. Raises InvalidSignature and
    UnknownGateway; nothing is stored then.
    """
    store([verified(provider, headers, body)])


def store(arrivals: Sequence[Arrival]) -> None:
    """Store webhooks that arrived together, each once, and see that a job settles them. One
    statement: all of them are stored, or none."""
    deliveries = Counter((each.provider, each.event_id) for each in arrivals)
    # In one order everywhere: two statements that store the same ones wait for each other.
    each_once = sorted({(each.provider, each.event_id): each for each in arrivals}.items())
    arrived = [
        {
            "id": new_id(),
            "provider": each.provider,
            "event_id": each.event_id,
            "type": each.type,
            "payload": each.payload,
            "deliveries": deliveries[key],
        }
        for key, each in each_once
    ]
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [now, now, rows.as_json(arrived), _JOB])
        is_due, job_waits = cursor.fetchone()
    if is_due and not job_waits:
        wake()


def wake() -> None:
    """See that a job settles what is due."""
    jobs.enqueue_once(_JOB)


def drain(
    settle: Callable[[InboxEvent], Outcome],
    settle_together: Callable[[Sequence[InboxEvent]], set[uuid.UUID]],
) -> int:
    """Settle what is due; returns how many were tried. What comes while the last of it is settled
    is the next job's.

    ``settle_together`` settles what it can of a batch in one transaction and returns the ids; the
    rest, and all of it when it raises, is settled one by one. Both write outcomes with
    ``conclude`` in the transaction of what they did. What ``settle`` raises is kept with the
    event, which is tried again later, up to ``MAX_ATTEMPTS`` times.
    """
    tried = 0
    time.sleep(_MOMENT)
    is_full = True
    while is_full:
        batch = _claim()
        is_full = len(batch) == _BATCH
        tried += len(batch)
        done = _try_together(settle_together, batch)
        for event in batch:
            if event.pk not in done:
                # What it binds to its log lines, the next event does not have.
                copy_context().run(_try, settle, event)
    return tried


def conclude(ended: Sequence[tuple[InboxEvent, Outcome]]) -> None:
    """Record how events ended, in the caller's transaction."""
    columns: list[Any] = [
        [event.pk for event, _ in ended],
        [str(outcome.status) for _, outcome in ended],
        [outcome.text for _, outcome in ended],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CONCLUDE, [clock.now(), *columns])


def decide(events: Sequence[InboxEvent], outcome: Outcome) -> None:
    """Record what a person decided about parked events, in the caller's transaction."""
    InboxEvent.objects.filter(
        pk__in=[event.pk for event in events], status=InboxStatus.PARKED
    ).update(status=outcome.status, outcome=outcome.text, settled_at=clock.now())


def wake_if_due() -> bool:
    """The sweep: wake the job when events are due that nobody settles."""
    due = InboxEvent.objects.filter(status=InboxStatus.RECEIVED, due_at__lte=clock.now()).exists()
    if due:
        wake()
    return due


def replay(event_id: uuid.UUID, *, actor_id: uuid.UUID) -> InboxEvent:
    """Settle an event again, whatever became of it; settling is idempotent.

    Raises EventMissing.
    """
    with transaction.atomic():
        event = lock_one(InboxEvent.objects.filter(pk=event_id), missing=EventMissing)
        record(
            "webhooks.replay",
            actor_id=actor_id,
            subject_type="inbox_event",
            subject_id=event.pk,
            was=event.status,
        )
        event.status, event.attempts, event.due_at = InboxStatus.RECEIVED, 0, clock.now()
        event.save(update_fields=["status", "attempts", "due_at"])
        # A job that is found waiting may look before this commit, and would see nothing due.
        transaction.on_commit(wake)
    return event


def forget(*, before: datetime) -> int:
    """Delete events that came before that time and are done with; returns how many. One of them
    that came once more would find its payment settled."""
    done = [InboxStatus.SETTLED, InboxStatus.IGNORED]
    return delete_oldest(
        InboxEvent.objects.filter(status__in=done), field="received_at", before=before
    )


def _try_together(
    settle_together: Callable[[Sequence[InboxEvent]], set[uuid.UUID]], batch: list[InboxEvent]
) -> set[uuid.UUID]:
    if len(batch) < 2:
        return set()
    try:
        return settle_together(batch)
    except Exception as error:
        log.warning("events are settled one by one", events=len(batch), error=repr(error))
        return set()


def _try(settle: Callable[[InboxEvent], Outcome], event: InboxEvent) -> None:
    structlog.contextvars.bind_contextvars(gateway=event.provider, event_id=event.event_id)
    try:
        settle(event)
    except Exception as error:
        if not isinstance(error, NotYet):
            log.exception("event not settled", exc_info=error)
        _postpone(event, error)


def _claim() -> list[InboxEvent]:
    now = clock.now()
    return list(InboxEvent.objects.raw(_CLAIM, [now + LEASE, now, _BATCH]))


def _postpone(event: InboxEvent, error: Exception) -> None:
    """Try again after 10, 20, 40 … seconds; after the last attempt the event is dead."""
    wait = timedelta(seconds=5 * 2**event.attempts)
    is_dead = event.attempts >= MAX_ATTEMPTS
    with transaction.atomic():
        InboxEvent.objects.filter(pk=event.pk, status=InboxStatus.RECEIVED).update(
            status=InboxStatus.DEAD if is_dead else InboxStatus.RECEIVED,
            outcome=(str(error) or type(error).__name__)[:2000],
            due_at=clock.now() + wait,
        )
        if not is_dead:
            jobs.enqueue(_JOB, delay=wait)
