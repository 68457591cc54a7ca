"""Mail."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from markethall.foundation.files.actions import read_file
from markethall.foundation.files.models import StoredFile
from markethall.foundation.messaging.actions import QUEUE
from markethall.foundation.messaging.delivery import deliver, take_up_forgotten
from markethall.foundation.messaging.queries import attached_files

# For files that cannot be read; what the carrier refuses is tried again by the mail itself.
_FILE_RETRIES = RetryStrategy(max_attempts=8, exponential_wait=3)


@app.task(name="deliver_mail", queue=QUEUE, retry=_FILE_RETRIES)
def deliver_mail(mail_id: str) -> None:
    wanted = attached_files(UUID(mail_id))
    files = StoredFile.objects.filter(pk__in=wanted).order_by("pk")
    deliver(UUID(mail_id), [_attachment(file) for file in files])


@app.periodic(cron="* * * * *")
@app.task(name="send_forgotten_mails", queue=QUEUE)
def send_forgotten_mails(timestamp: int) -> None:
    take_up_forgotten()


def _attachment(file: StoredFile) -> tuple[str, bytes, str]:
    """A file as mails carry it: named after what it is for."""
    ending = file.name.rpartition(".")[2]
    return f"{file.purpose}.{ending}", read_file(file), file.content_type
