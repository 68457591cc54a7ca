"""Files at Cloudinary, of its type ``authenticated``: reached by signed addresses only.

Pictures are stored as pictures, under their name without its ending, and all else as ``raw``.
Links are those of its download API, the only ones that expire without a premium plan.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, cast
from urllib.parse import urlsplit

import structlog
from cloudinary import api, uploader, utils
from cloudinary.exceptions import Error, NotFound
from django.core.files.base import File
from django.core.files.storage import Storage
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.storage.base import (
    IN_MEMORY,
    Entry,
    Readable,
    Writable,
    rewindable,
)

log = structlog.get_logger(__name__)
KIND = "authenticated"
PART = 20 * 1024 * 1024  # bytes; larger content goes in parts of this size
_PICTURES = {"jpg", "png", "webp"}
_PAGE = 500
_READ_FOR = 300  # seconds that a link for ourselves works
_TIMEOUT = Timeout(connect=5, read=30)
_RETRIES = Retry(3, backoff_factor=0.2, status_forcelist=(502, 503, 504), raise_on_status=False)


class CloudinaryStore(Storage):
    """An account, or a folder of it."""

    is_remote = True

    def __init__(self, *, upload_prefix: str, folder: str, **credentials: Any) -> None:
        self.upload_prefix = upload_prefix
        self.folder = f"{folder}/" if folder else ""
        self.cloud_name = credentials["cloud_name"]
        self._account = {**credentials, "upload_prefix": upload_prefix}
        self._http = PoolManager(timeout=_TIMEOUT, retries=_RETRIES, maxsize=8)

    def put(self, name: str, content: Readable, *, content_type: str) -> None:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            shutil.copyfileobj(content, spool)
            self._send(name, spool)

    @contextmanager
    def writer(self, name: str) -> Iterator[Writable]:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            yield spool
            self._send(name, spool)

    @contextmanager
    def stream(self, name: str) -> Iterator[Readable]:
        with _reached(name):
            answer = self._http.request("GET", self._signed(name, _READ_FOR), preload_content=False)
            try:
                if answer.status == 404:
                    raise FileNotFoundError(name)
                if answer.status != 200:
                    raise Error(f"{answer.status} {answer.headers.get('X-Cld-Error', '')}")
                yield cast(Readable, answer)
            finally:
                answer.close()

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        if mode != "rb":
            raise ValueError("Files are opened for reading only.")
        with self.stream(name) as content:
            return rewindable(content, name)

    def remove(self, name: str) -> None:
        public_id, kind = self._parts(name)
        with _reached(name):
            answer = uploader.destroy(
                public_id, **self._of(kind), invalidate=True, timeout=_TIMEOUT
            )
            if answer.get("result") not in {"ok", "not found"}:
                raise Error(f"destroy: {answer.get('result')}")

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        # The names of pictures stand there without their ending.
        wanted = self.folder + prefix.rpartition(".")[0] if "." in prefix else self.folder + prefix
        for kind in ("image", "raw"):
            for found in self._listed(kind, wanted):
                ending = f".{found['format']}" if kind == "image" else ""
                name = found["public_id"].removeprefix(self.folder) + ending
                if name.startswith(prefix):
                    made = datetime.fromisoformat(found["created_at"])
                    yield Entry(name, found["bytes"], made)

    def link(self, name: str, *, seconds: int, content_type: str, disposition: str) -> str:
        # It cannot be told a name for what is saved: such files come through us.
        return "" if disposition.startswith("attachment") else self._signed(name, seconds)

    def link_origin(self) -> str:
        parts = urlsplit(self.upload_prefix)
        return f"{parts.scheme}://{parts.netloc}"

    def whereabouts(self) -> str:
        return f"cloudinary://{self.cloud_name}/{self.folder} at {self.upload_prefix}"

    def _send(self, name: str, content: IO[bytes]) -> None:
        size = content.seek(0, 2)
        content.seek(0)
        public_id, kind = self._parts(name)
        options = {**self._of(kind), "public_id": public_id, "overwrite": True, "filename": "file"}
        send = uploader.upload if size <= PART else uploader.upload_large
        with _reached(name):
            answer = send(content, **options, chunk_size=PART, timeout=_TIMEOUT)
            if (answer.get("public_id"), answer.get("bytes")) != (public_id, size):
                # An upload preset of the account may change what is uploaded, or its name.
                raise Error("It changes what it is given: the account must have no default preset.")

    def _signed(self, name: str, seconds: int) -> str:
        public_id, kind = self._parts(name)
        ends = int(time.time()) + seconds
        return str(utils.private_download_url(public_id, "", **self._of(kind), expires_at=ends))

    def _listed(self, kind: str, prefix: str) -> Iterator[dict[str, Any]]:
        cursor: dict[str, str] = {}
        while True:
            with _reached(prefix):
                page = api.resources(
                    **self._of(kind), prefix=prefix, max_results=_PAGE, timeout=_TIMEOUT, **cursor
                )
            yield from page["resources"]
            if not page.get("next_cursor"):
                return
            cursor = {"next_cursor": page["next_cursor"]}

    def _of(self, kind: str) -> dict[str, Any]:
        return {**self._account, "resource_type": kind, "type": KIND}

    def _parts(self, name: str) -> tuple[str, str]:
        """Public id and resource type."""
        stem, _, ending = name.rpartition(".")
        if ending in _PICTURES:
            return self.folder + stem, "image"
        return self.folder + name, "raw"


@contextmanager
def _reached(name: str) -> Iterator[None]:
    """What Cloudinary or the way to it says, in our words."""
    try:
        yield
    except NotFound as error:
        raise FileNotFoundError(name) from error
    except (Error, HTTPError) as error:
        log.error("file storage fails", storage="cloudinary", error=str(error), name=name)
        raise StorageUnavailable from error
