"""A photo becomes a plush toy: hold the credit → job → provider → store → spend, or give back.

Locks: the generation, then its files, then the ledger accounts. The provider and the storage
are called between transactions. Whatever dies in between: a generation that is pending or
processing has its hold open, one that ended has it settled, in the same transaction.
"""

from __future__ import annotations

import random
import time
import uuid
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from markethall.content.imaging.actions import (
    create_generation,
    lock_open,
    lock_own,
    mark_completed,
    mark_failed,
    mark_processing,
    remove,
    take_back_try,
)
from markethall.content.imaging.calls import (
    History,
    begin_call,
    call_of,
    callback_of,
    end_call,
    end_lost_calls,
    forget_call,
    heard_of,
    history_of,
    keep_reference,
    look_again,
    lost_since,
    providers_out,
)
from markethall.content.imaging.errors import (
    GenerationsClosed,
    InsufficientCredits,
    NotPending,
    StillProcessing,
)
from markethall.content.imaging.events import GenerationCompleted, GenerationFailed
from markethall.content.imaging.models import (
    CallOutcome,
    Generation,
    GenerationStatus,
    ProviderCall,
    Size,
    Style,
)
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderRefused,
    ProviderUnavailable,
    ProviderWorking,
)
from markethall.content.imaging.providers.registry import chain, configured, provider_named
from markethall.content.imaging.rules import (
    LONGER_SIDE,
    MAX_LOOKS,
    check_prompt,
    next_provider,
    parse_size,
    parse_style,
    seed_of,
    wait_before,
)
from markethall.foundation.accounts.models import UserSettings
from markethall.foundation.files.actions import delete_file, read_file, store_file
from markethall.foundation.files.errors import StorageUnavailable
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
STORAGE_WAIT = timedelta(minutes=1)
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
    structlog.contextvars.bind_contextvars(generation_id=str(generation.pk))
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
    claimed = _claim(generation_id)
    if claimed is None:
        return
    generation, call = claimed
    maker = ""
    try:
        provider = provider_named(call.provider)
        maker = provider.model
        made = provider.make(_wish(generation, call))
    except ProviderWorking as work:
        keep_reference(call, model=maker, reference=work.ref)
        jobs.enqueue(JOB, queue=QUEUE, delay=work.again_in, generation_id=str(generation_id))
    except ProviderRefused as refusal:
        end_call(call, CallOutcome.REFUSED, model=maker, usage=refusal.usage, error=refusal.reason)
        _fail(generation_id, refusal.message)
    except FileNotFoundError:
        end_call(call, CallOutcome.LOST, error="the photo is gone")
        _fail(generation_id, LOST)
    except StorageUnavailable:
        _wait_for_storage(generation_id, call)
    except ProviderUnavailable as error:
        end_call(call, error.outcome, model=maker, usage=error.usage, error=str(error))
        _again_or_fail(generation, call, error)
    except Exception as error:
        log.exception(
            "image provider broke", generation_id=str(generation_id), provider=call.provider
        )
        unknown = ProviderUnavailable(f"broke: {type(error).__name__}")
        end_call(call, unknown.outcome, model=maker, error=str(unknown))
        _again_or_fail(generation, call, unknown)
    else:
        end_call(call, CallOutcome.MADE, model=maker, usage=made.usage)
        _finish(generation, call, made, began)


def hear_of_prediction(*, reference: str, token: str) -> bool:
    """A provider's webhook says that work has ended: look at it now instead of later.

    ``token`` is that of our address in the webhook. What the webhook says is not believed; the
    job asks. Returns whether there was something to do: webhooks come twice, and late.
    """
    with transaction.atomic(durable=True):
        call = heard_of(reference=reference, call_id=call_of(token)) if reference else None
        if call is None or call.generation_id is None:
            return False
        jobs.enqueue(JOB, queue=QUEUE, generation_id=str(call.generation_id))
    return True


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


def _claim(generation_id: uuid.UUID) -> tuple[Generation, ProviderCall] | None:
    """Begin a try, or take up work that goes on, visible to everyone; None when there is nothing
    to do."""
    with transaction.atomic(durable=True):
        generation = lock_open(generation_id)
        if generation is None:
            return None
        history = history_of(generation)
        if working := history.working():
            look_again(working)
            if working.looks < MAX_LOOKS:
                return generation, working
            end_call(working, CallOutcome.LOST, error=f"not done after {MAX_LOOKS} looks")
        name = _next(history)
        if name is None:
            # Each try took its worker with it.
            _end_in_failure(generation, GAVE_UP)
            return None
        call = begin_call(generation, name)
        mark_processing(generation, name)
        _tell(generation)
    return generation, call


def _next(history: History) -> str | None:
    """Who is asked next; None when nobody is left."""
    names = chain()
    out = providers_out(names) if len(names) > 1 else set()
    return next_provider(names, history.tried(), out)


def _wish(generation: Generation, call: ProviderCall) -> PictureWish:
    original = generation.original
    return PictureWish(
        reference=str(generation.pk),
        original=read_file(original),
        content_type=original.content_type,
        style=generation.style,
        longer_side=LONGER_SIDE[Size(generation.size)],
        prompt=generation.prompt,
        seed=seed_of(original.sha256, generation.style, generation.size, generation.prompt),
        person=salted_hmac("markethall.imaging.person", str(generation.user_id)).hexdigest(),
        resume=call.reference,
        waited=clock.now() - call.started_at,
        lost_since=None if call.reference else lost_since(generation, call),
        callback=callback_of(call),
    )


def _finish(generation: Generation, call: ProviderCall, made: MadePicture, began: float) -> None:
    try:
        result = store_file(
            made.content,
            purpose=RESULT,
            content_type=made.content_type,
            owner_id=generation.user_id,
            width=made.width,
            height=made.height,
        )
    except StorageUnavailable:
        # The next run reads the photo first, and so orders nothing while the storage is away.
        jobs.enqueue(JOB, queue=QUEUE, delay=STORAGE_WAIT, generation_id=str(generation.pk))
        return
    with transaction.atomic(durable=True):
        current = lock_open(generation.pk)
        if current is None:
            # Another run of this job was quicker, or somebody gave the credit back.
            delete_file(result)
            return
        taken = _taken(call, began)
        mark_completed(current, result, taken, call.provider)
        end_lost_calls(current)
        capture_hold(current.hold_id)
        events.publish(GenerationCompleted(current.pk, current.user_id))
        _tell(current, balance=True)
    log.info("picture made", generation_id=str(current.pk), provider=call.provider, ms=taken)


def _taken(call: ProviderCall, began: float) -> int:
    """Milliseconds of this run, or of all the work where it went on over several."""
    if call.reference:
        return max(0, round((clock.now() - call.started_at).total_seconds() * 1000))
    return round((time.monotonic() - began) * 1000)


def _again_or_fail(generation: Generation, call: ProviderCall, error: ProviderUnavailable) -> None:
    """Another try in a job of its own, or the end: at the same provider after a while, at the
    next one at once."""
    log.warning(
        "picture not made",
        generation_id=str(generation.pk),
        provider=call.provider,
        attempt=generation.attempts,
        outcome=str(error.outcome),
        reason=str(error),
    )
    history = history_of(generation)
    name = _next(history)
    if name is None:
        _fail(generation.pk, GAVE_UP)
        return
    tries = sum(provider == name for provider, _ in history.tried())
    wait = None
    if name == call.provider:
        wait = wait_before(tries + 1, chance=random.random(), asked=error.retry_after)  # noqa: S311
    jobs.enqueue(JOB, queue=QUEUE, delay=wait, generation_id=str(generation.pk))


def _wait_for_storage(generation_id: uuid.UUID, call: ProviderCall) -> None:
    """The photo cannot be read, so nobody was asked: the try does not count, and work that a
    provider has begun goes on."""
    with transaction.atomic(durable=True):
        generation = lock_open(generation_id)
        if generation is None:
            return
        if forget_call(call):
            take_back_try(generation)
            _tell(generation)
        jobs.enqueue(JOB, queue=QUEUE, delay=STORAGE_WAIT, generation_id=str(generation_id))


def _fail(generation_id: uuid.UUID, message: str) -> None:
    with transaction.atomic(durable=True):
        generation = lock_open(generation_id)
        if generation:
            _end_in_failure(generation, message)


def _end_in_failure(generation: Generation, message: str) -> None:
    give_back(generation, message)
    log.warning("picture given up", generation_id=str(generation.pk), why=message)
    events.publish(GenerationFailed(generation.pk, generation.user_id))


def give_back(generation: Generation, message: str) -> None:
    """End a locked, open generation without a picture: its credit comes back."""
    mark_failed(generation, f"{message} {GIVEN_BACK}")
    end_lost_calls(generation)
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
