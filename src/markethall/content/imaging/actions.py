"""Writes to generations. The flows around them hold, spend and give back the credits.

Every change of status happens under the row's lock, and only from the statuses named here.
"""

from __future__ import annotations

import uuid

from django.db import connection
from django.db.models import F

from markethall.content.imaging.errors import NoSuchGeneration, NoSuchUpload
from markethall.content.imaging.models import Generation, GenerationStatus
from markethall.foundation.files.actions import delete_file
from markethall.foundation.files.models import UPLOAD, StoredFile
from markethall.kernel import clock
from markethall.kernel.locking import lock, lock_one

OPEN = (GenerationStatus.PENDING, GenerationStatus.PROCESSING)

# One statement: the row, if the upload is the person's own. The upload's lock keeps the sweep
# of unused uploads away.
_CREATE = """
INSERT INTO imaging_generation (
    id, user_id, original_id, hold_id, style, size, prompt, status, is_favorite, provider,
    attempts, error_message, created_at
)
SELECT %s, %s, f.id, %s, %s, %s, %s, 'pending', false, %s, 0, '', %s
  FROM files_storedfile f
 WHERE f.id = %s AND f.owner_id = %s AND f.purpose = %s
   FOR KEY SHARE OF f
"""


def create_generation(generation: Generation) -> None:
    """Write a new generation. Raises NoSuchUpload unless its original is the person's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CREATE,
            [
                generation.pk,
                generation.user_id,
                generation.hold_id,
                generation.style,
                generation.size,
                generation.prompt,
                generation.provider,
                generation.created_at,
                generation.original_id,
                generation.user_id,
                UPLOAD,
            ],
        )
        if cursor.rowcount != 1:
            raise NoSuchUpload("Upload the picture first, then ask for its plush toy.")


def lock_open(generation_id: uuid.UUID) -> Generation | None:
    """Lock a generation that is pending or processing; None when it is neither or gone."""
    rows = lock(Generation.objects.filter(pk=generation_id).select_related("original"))
    return rows[0] if rows and rows[0].status in OPEN else None


def lock_own(user_id: uuid.UUID, generation_id: uuid.UUID) -> Generation:
    """Lock one of somebody's generations; raises NoSuchGeneration."""
    try:
        return lock_one(Generation.objects.filter(pk=generation_id, user_id=user_id))
    except Generation.DoesNotExist:
        raise NoSuchGeneration from None


def mark_processing(generation: Generation, provider: str) -> None:
    """One more try begins, at ``provider``. ``started_at`` tells when the first one did."""
    generation.status = GenerationStatus.PROCESSING
    generation.attempts += 1
    generation.provider = provider
    generation.started_at = generation.started_at or clock.now()
    generation.save(update_fields=["status", "attempts", "provider", "started_at"])


def take_back_try(generation: Generation) -> None:
    """The try that runs ended before a provider was asked. A picture waits again only if that was
    its first; after another one it goes on being made."""
    generation.attempts = max(0, generation.attempts - 1)
    if generation.attempts == 0:
        generation.status = GenerationStatus.PENDING
        generation.started_at = None
    generation.save(update_fields=["status", "attempts", "started_at"])


def mark_completed(
    generation: Generation, result: StoredFile, processing_ms: int, provider: str
) -> None:
    """The picture is stored; ``provider`` made it."""
    generation.status = GenerationStatus.COMPLETED
    generation.result = result
    generation.provider = provider
    generation.processing_ms = processing_ms
    generation.finished_at = clock.now()
    generation.save(update_fields=["status", "result", "provider", "processing_ms", "finished_at"])


def mark_failed(generation: Generation, message: str) -> None:
    """It ends without a picture; ``message`` tells the person what they can do."""
    generation.status = GenerationStatus.FAILED
    generation.error_message = message[:255]
    generation.finished_at = clock.now()
    generation.save(update_fields=["status", "error_message", "finished_at"])


def set_favorite(
    *, user_id: uuid.UUID, generation_id: uuid.UUID, is_favorite: bool | None = None
) -> Generation:
    """Mark or unmark one's favourite; ``None`` turns it over. Raises NoSuchGeneration."""
    wanted = ~F("is_favorite") if is_favorite is None else is_favorite
    own = Generation.objects.filter(pk=generation_id, user_id=user_id)
    own.update(is_favorite=wanted)
    found = own.first()
    if found is None:
        raise NoSuchGeneration
    return found


def remove(generation: Generation) -> None:
    """Delete a locked generation and its files; the original stays while another one uses it."""
    original_id, result = generation.original_id, generation.result
    generation.delete()
    if result:
        delete_file(result)
    delete_if_unused(original_id)


def delete_if_unused(file_id: uuid.UUID) -> bool:
    """Delete a file that no generation uses; whether it did. Takes the file's lock, which keeps
    new generations of it away."""
    for file in lock(StoredFile.objects.filter(pk=file_id)):
        users = Generation.objects.filter(original=file) | Generation.objects.filter(result=file)
        if not users.exists():
            delete_file(file)
            return True
    return False
