"""Files in a private bucket, by the S3 protocol: Amazon S3, Cloudflare R2 and their like."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import structlog
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.storage.base import (
    IN_MEMORY,
    Entry,
    Readable,
    Writable,
    rewindable,
)

log = structlog.get_logger(__name__)
PART = 8 * 1024 * 1024  # bytes; larger content goes in parts of this size, one at a time
_TIMEOUTS = (5, 15)  # seconds, to connect and to wait for an answer; each of three tries
_MISSING = {"404", "NoSuchKey", "NotFound"}
# A part may be refused below 5 MiB, and there are at most 10,000 of them.
_STREAM_PARTS = (16 * 1024 * 1024, 64 * 1024 * 1024)
_SMALL_PARTS = 1_000


class S3Store(S3Storage):  # type: ignore[misc]
    """A bucket. One client a process: botocore's may be shared by threads."""

    is_remote = True

    def __init__(self, **options: Any) -> None:
        # Other servers may not know the checksums that Amazon's client has begun to send.
        checksums = "when_required" if options.get("endpoint_url") else "when_supported"
        options["client_config"] = Config(
            signature_version="s3v4",
            s3={"addressing_style": options.get("addressing_style")},
            connect_timeout=_TIMEOUTS[0],
            read_timeout=_TIMEOUTS[1],
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=20,
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
        )
        options["transfer_config"] = TransferConfig(
            multipart_threshold=PART, multipart_chunksize=PART, use_threads=False
        )
        options.setdefault("max_memory_size", IN_MEMORY)
        super().__init__(**options)
        self._making = threading.Lock()

    @cached_property
    def client(self) -> Any:
        """boto3's client of this process."""
        with self._making:
            return self.connection.meta.client

    def put(self, name: str, content: Readable, *, content_type: str) -> None:
        extra = {**self._parameters(name), "ContentType": content_type}
        with _reached(name):
            self.client.upload_fileobj(
                content, self.bucket_name, self._key(name), extra, Config=self.transfer_config
            )

    @contextmanager
    def writer(self, name: str) -> Iterator[Writable]:
        with _reached(name):
            parts = _Parts(self.client, self.bucket_name, self._key(name), self._parameters(name))
            try:
                yield parts
                parts.complete()
            except BaseException:
                parts.abort()
                raise

    @contextmanager
    def stream(self, name: str) -> Iterator[Readable]:
        with _reached(name):
            found = self.client.get_object(Bucket=self.bucket_name, Key=self._key(name))
            with closing(found["Body"]) as body:
                yield body

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        if mode != "rb":
            raise ValueError("Files are opened for reading only.")
        with self.stream(name) as content:
            return rewindable(content, name)

    def remove(self, name: str) -> None:
        with _reached(name):
            self.client.delete_object(Bucket=self.bucket_name, Key=self._key(name))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        start = f"{self.location}/" if self.location else ""
        pages = self.client.get_paginator("list_objects_v2")
        with _reached(prefix):
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=start + prefix):
                for found in page.get("Contents", ()):
                    name = found["Key"].removeprefix(start)
                    yield Entry(name, found["Size"], found["LastModified"])

    def link(self, name: str, *, seconds: int, content_type: str, disposition: str) -> str:
        asked = {
            "Bucket": self.bucket_name,
            "Key": self._key(name),
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": f"private, max-age={seconds}, immutable",
        }
        with _reached(name):
            return str(
                self.client.generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds)
            )

    def link_origin(self) -> str:
        # Without a signature, so that nobody's keys are looked for.
        client = self.unsigned_connection.meta.client
        with _reached(""):
            address = client.generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket_name, "Key": "x"}
            )
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}"

    def whereabouts(self) -> str:
        place = f"s3://{self.bucket_name}/{self.location}".rstrip("/")
        return f"{place} at {self.endpoint_url}" if self.endpoint_url else place

    def _key(self, name: str) -> str:
        return str(self._normalize_name(name))

    def _parameters(self, name: str) -> dict[str, Any]:
        acl = {"ACL": self.default_acl} if self.default_acl else {}
        return {**self.get_object_parameters(name), **acl}


class _Parts(io.RawIOBase):
    """An upload in parts: what is written waits until it fills one, and nothing is seen before
    the last one."""

    def __init__(self, client: Any, bucket: str, key: str, extra: dict[str, Any]) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        self._upload = client.create_multipart_upload(**self._where, **extra)["UploadId"]
        self._waiting = bytearray()
        self._sent: list[dict[str, Any]] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        size = _STREAM_PARTS[len(self._sent) >= _SMALL_PARTS]
        while len(self._waiting) >= size:
            self._send(bytes(self._waiting[:size]))
            del self._waiting[:size]
        return len(data)

    def complete(self) -> None:
        if self._waiting or not self._sent:
            self._send(bytes(self._waiting))
        self._client.complete_multipart_upload(
            **self._where, UploadId=self._upload, MultipartUpload={"Parts": self._sent}
        )

    def abort(self) -> None:
        """Throw away what was sent; what fails here, the bucket's own rule clears away."""
        try:
            self._client.abort_multipart_upload(**self._where, UploadId=self._upload)
        except (BotoCoreError, ClientError) as error:
            log.warning("unfinished upload left behind", error=str(error), **self._where)

    def _send(self, part: bytes) -> None:
        number = len(self._sent) + 1
        answer = self._client.upload_part(
            **self._where, UploadId=self._upload, PartNumber=number, Body=part
        )
        self._sent.append({"ETag": answer["ETag"], "PartNumber": number})


@contextmanager
def _reached(name: str) -> Iterator[None]:
    """What the server or the way to it says, in our words."""
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        if said.get("Code") in _MISSING:
            raise FileNotFoundError(name) from error
        log.error("file storage refuses", storage="s3", code=said.get("Code"), name=name)
        raise StorageUnavailable from error
    except (BotoCoreError, Boto3Error) as error:
        log.error("file storage unreachable", storage="s3", error=str(error), name=name)
        raise StorageUnavailable from error
