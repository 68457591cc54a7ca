"""A photo becomes a plush toy: hold the credit → job → provider → store → spend, or give back.

Locks: the generation, then its files, then the ledger accounts. The provider and the storage
are called between transactions. Whatever dies in between: a generation that is pending or
processing has its hold open, one that ended has it settled, in the same transaction.
"""

from __future__ import annotations

import random
import time
import uuid

import structlog
from django.conf import settings
from django.db import transaction

from markethall.content.imaging.actions import (
    create_generation,
    lock_open,
    lock_own,
    mark_completed,
    mark_failed,
    mark_processing,
    remove,
)
from markethall.content.imaging.errors import (
    GenerationsClosed,
    InsufficientCredits,
    NotPending,
    StillProcessing,
)
from markethall.content.imaging.events import GenerationCompleted, GenerationFailed
from markethall.content.imaging.models import Generation, GenerationStatus, Size, Style
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderRefused,
    ProviderUnavailable,
)
from markethall.content.imaging.providers.registry import configured, provider_named
from markethall.content.imaging.rules import (
    LONGER_SIDE,
    MAX_TRIES,
    check_prompt,
    parse_size,
    parse_style,
    seed_of,
    wait_before,
)
from markethall.foundation.accounts.models import UserSettings
from markethall.foundation.files.actions import delete_file, read_file, store_file
from markethall.foundation.files.models import RESULT
from markethall.foundation.ledger.actions import capture_hold, open_hold, release_hold
from markethall.foundation.ledger.errors import InsufficientFunds
from markethall.foundation.platform.queries import platform_settings
from markethall.kernel import clock, events, jobs, live
from markethall.kernel.ids import new_id

log = structlog.get_logger(__name__)
JOB, QUEUE = "run_generation", "imaging"
PRICING_PATH = "/plushify/pricing"

GAVE_UP = "The picture could not be made this time. Try again in a while."
CANCELLED = "You cancelled this picture."
LOST = "The uploaded photo is gone. Upload it again, then try again."
GIVEN_BACK = "Your credit has been given back."


def start_generation(
    *,
    user_id: uuid.UUID,
    upload_id: uuid.UUID,
    style: str | None = None,
    size: str = Size.MEDIUM,
    prompt: str = "",
) -> Generation:
    """Accept a wish: hold its credit, write it down and enqueue its job.

    Without a ``style`` the person's default one counts. Raises InsufficientCredits, NoSuchUpload,
    GenerationsClosed and Invalid.
    """
    generation = Generation(
        id=new_id(),
        user_id=user_id,
        original_id=upload_id,
        style=parse_style(style) if style else _default_style(user_id),
        size=parse_size(size),
        prompt=check_prompt(prompt),
        provider=configured(),
        created_at=clock.now(),
    )
    platform = platform_settings()
    if not platform.generations_open:
        raise GenerationsClosed("Come back later: your credits stay.")
    reference = f"generation:{generation.pk}"
    try:
        with transaction.atomic(savepoint=False):
            generation.hold_id = open_hold(
                user_id=user_id,
                amount=platform.generation_cost,
                key=reference,
                reference=reference,
                metadata={"generationId": str(generation.pk), "style": generation.style},
            )
            create_generation(generation)
            jobs.enqueue(JOB, queue=QUEUE, generation_id=str(generation.pk))
            _tell(generation, balance=True)
    except InsufficientFunds as error:
        raise InsufficientCredits(
            f"A picture costs {platform.generation_cost} credits. Get more, then try again.",
            pricingUrl=settings.SITE_URL + PRICING_PATH,
        ) from error
    return generation


def run_generation(generation_id: uuid.UUID) -> None:
    """The job: make the picture. Runs twice without harm, and takes up what a dead one left."""
    began = time.monotonic()
    generation = _claim(generation_id)
    if generation is None:
        return
    try:
        made = _make(generation)
    except ProviderRefused as refusal:
        _fail(generation_id, refusal.message)
    except FileNotFoundError:
        _fail(generation_id, LOST)
    except ProviderUnavailable as error:
        _again_or_fail(generation, error)
    except Exception as error:
        log.exception("image provider broke", generation=str(generation_id))
        _again_or_fail(generation, ProviderUnavailable(str(error)))
    else:
        _finish(generation, made, began)


def cancel_generation(*, user_id: uuid.UUID, generation_id: uuid.UUID) -> Generation:
    """Give up a picture that still waits, and get the credit back.

    Raises NoSuchGeneration, and NotPending once it is being made.
    """
    with transaction.atomic(durable=True):
        generation = lock_own(user_id, generation_id)
        if generation.status != GenerationStatus.PENDING:
            raise NotPending("Only a picture that still waits can be cancelled.")
        give_back(generation, CANCELLED)
    return generation


def delete_generation(*, user_id: uuid.UUID, generation_id: uuid.UUID) -> None:
    """Delete a picture with its files; one that still waits is cancelled first.

    Raises NoSuchGeneration, and StillProcessing while it is being made.
    """
    with transaction.atomic(durable=True):
        generation = lock_own(user_id, generation_id)
        if generation.status == GenerationStatus.PROCESSING:
            raise StillProcessing("Wait until it is ready, then delete it.")
        if generation.status == GenerationStatus.PENDING:
            give_back(generation, CANCELLED)
        remove(generation)
        live.notify(f"generation:{generation_id}", kind="deleted", user_id=user_id)


def _default_style(user_id: uuid.UUID) -> Style:
    chosen = UserSettings.objects.filter(user_id=user_id).values_list("default_style", flat=True)
    return parse_style(chosen.first() or Style.CUTE)


def _claim(generation_id: uuid.UUID) -> Generation | None:
    """Begin a try, visible to everyone; None when there is nothing to do."""
    with transaction.atomic(durable=True):
        generation = lock_open(generation_id)
        if generation is None:
            return None
        if generation.attempts >= MAX_TRIES:
            # Each try took its worker with it.
            _end_in_failure(generation, GAVE_UP)
            return None
        mark_processing(generation)
        _tell(generation)
    return generation


def _make(generation: Generation) -> MadePicture:
    original = generation.original
    wish = PictureWish(
        reference=str(generation.pk),
        original=read_file(original),
        content_type=original.content_type,
        style=generation.style,
        longer_side=LONGER_SIDE[Size(generation.size)],
        prompt=generation.prompt,
        seed=seed_of(original.sha256, generation.style, generation.size, generation.prompt),
    )
    return provider_named(generation.provider).make(wish)


def _finish(generation: Generation, made: MadePicture, began: float) -> None:
    result = store_file(
        made.content,
        purpose=RESULT,
        content_type=made.content_type,
        owner_id=generation.user_id,
        width=made.width,
        height=made.height,
    )
    with transaction.atomic(durable=True):
        current = lock_open(generation.pk)
        if current is None:
            # Another run of this job was quicker, or somebody gave the credit back.
            delete_file(result)
            return
        mark_completed(current, result, round((time.monotonic() - began) * 1000))
        capture_hold(current.hold_id)
        events.publish(GenerationCompleted(current.pk, current.user_id))
        _tell(current, balance=True)


def _again_or_fail(generation: Generation, error: ProviderUnavailable) -> None:
    """Another try later, in a job of its own, or the end."""
    log.warning(
        "picture not made",
        generation=str(generation.pk),
        attempt=generation.attempts,
        reason=str(error),
    )
    if generation.attempts >= MAX_TRIES:
        _fail(generation.pk, GAVE_UP)
        return
    wait = wait_before(generation.attempts + 1, chance=random.random(), asked=error.retry_after)  # noqa: S311
    jobs.enqueue(JOB, queue=QUEUE, delay=wait, generation_id=str(generation.pk))


def _fail(generation_id: uuid.UUID, message: str) -> None:
    with transaction.atomic(durable=True):
        generation = lock_open(generation_id)
        if generation:
            _end_in_failure(generation, message)


def _end_in_failure(generation: Generation, message: str) -> None:
    give_back(generation, message)
    events.publish(GenerationFailed(generation.pk, generation.user_id))


def give_back(generation: Generation, message: str) -> None:
    """End a locked, open generation without a picture: its credit comes back."""
    mark_failed(generation, f"{message} {GIVEN_BACK}")
    release_hold(
        generation.hold_id,
        metadata={"generationId": str(generation.pk), "reason": message},
    )
    _tell(generation, balance=True)


def _tell(generation: Generation, *, balance: bool = False) -> None:
    """Tell the person's open pages."""
    messages = [(f"generation:{generation.pk}", str(generation.status))]
    if balance:
        messages.append(("balance", "changed"))
    live.notify_all(messages, user_id=generation.user_id)
