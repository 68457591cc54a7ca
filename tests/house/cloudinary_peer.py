"""As much of Cloudinary's API as files need, on loopback: no other server of it exists.

It checks what Cloudinary documents: signatures over the sorted parameters (all but ``file``,
``cloud_name``, ``resource_type`` and ``api_key``) by SHA-1 or SHA-256, time stamps of at most an
hour ago, ``expires_at`` of downloads, HTTP Basic for the Admin API, pictures that are pictures, and
parts that follow each other. It does not: transform, know other delivery types than
``authenticated``, deliver by its CDN, limit rates, know presets, or answer as slowly.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from PIL import Image

from house.serving import Handler, Server

CLOUD, KEY, SECRET = "hall-cloud", "123456789012345", "a-secret-of-the-cloud"
_UNSIGNED = {"file", "cloud_name", "resource_type", "api_key", "signature"}
_ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class Refusal(Exception):
    """An error of the API: status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Asset:
    content: bytes
    format: str
    created_at: datetime


@dataclass
class Peer:
    """The server's state. ``down`` makes it answer 503."""

    url: str = ""
    down: bool = False
    preset: bool = False
    parts: int = 0
    assets: dict[tuple[str, str], Asset] = field(default_factory=dict)
    unfinished: dict[str, bytes] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """The environment of a hall that uses it."""
        return {
            "CLOUDINARY_CLOUD_NAME": CLOUD,
            "CLOUDINARY_API_KEY": KEY,
            "CLOUDINARY_API_SECRET": SECRET,
            "CLOUDINARY_UPLOAD_PREFIX": self.url,
        }

    def names(self) -> set[str]:
        return {public_id for _, public_id in self.assets}

    def upload(self, kind: str, asked: dict[str, str], content: bytes) -> dict[str, Any]:
        _expect(asked.get("type") == "authenticated", 400, "This peer knows authenticated only")
        ending = ""
        if kind == "image":
            try:
                with Image.open(io.BytesIO(content)) as picture:
                    picture.verify()
                    ending = {"JPEG": "jpg"}.get(
                        picture.format or "", (picture.format or "").lower()
                    )
            except Exception:
                raise Refusal(400, "Invalid image file") from None
        if self.preset:
            content = content[:-1]
        made = Asset(content, ending, datetime.now(UTC))
        self.assets[kind, asked["public_id"]] = made
        return self.told(kind, asked["public_id"])

    def told(self, kind: str, public_id: str) -> dict[str, Any]:
        asset = self.assets[kind, public_id]
        about = {
            "public_id": public_id,
            "resource_type": kind,
            "type": "authenticated",
            "bytes": len(asset.content),
            "created_at": asset.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {**about, "format": asset.format} if asset.format else about


class PeerHandler(Handler):
    peer: Peer

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def _answered(self, act: Any) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            _expect(not self.peer.down, 503, "Down for a while")
            act(body)
        except Refusal as refusal:
            self._send(
                refusal.status,
                json.dumps({"error": {"message": str(refusal)}}).encode(),
                "application/json",
                {"X-Cld-Error": str(refusal)},
            )

    def _get(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query))
        listed = re.fullmatch(rf"/v1_1/{CLOUD}/resources/(image|raw)/authenticated", parts.path)
        if listed:
            self._list(listed[1], asked)
            return
        found = re.fullmatch(rf"/v1_1/{CLOUD}/(image|raw)/download", parts.path)
        _expect(bool(found), 404, "Not found")
        _check_signature(asked)
        ends = int(asked.get("expires_at") or int(asked["timestamp"]) + 3600)
        _expect(ends > time.time(), 401, "URL has expired")
        asset = self.peer.assets.get((found[1], asked["public_id"])) if found else None
        if asset is None:
            raise Refusal(404, "Resource not found")
        kind = _TYPES.get(asset.format, "application/octet-stream")
        self._send(200, asset.content, kind)

    def _list(self, kind: str, asked: dict[str, str]) -> None:
        expected = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        _expect(self.headers.get("Authorization") == expected, 401, "api_secret mismatch")
        ids = sorted(
            public_id
            for found, public_id in self.peer.assets
            if found == kind and public_id.startswith(asked.get("prefix", ""))
        )
        start, size = int(asked.get("next_cursor", "0")), int(asked.get("max_results", "10"))
        _expect(size <= 500, 400, "max_results is at most 500")
        page: dict[str, Any] = {
            "resources": [self.peer.told(kind, found) for found in ids[start : start + size]]
        }
        if len(ids) > start + size:
            page["next_cursor"] = str(start + size)
        self._json(page)

    def _post(self, body: bytes) -> None:
        found = re.fullmatch(rf"/v1_1/{CLOUD}/(image|raw)/(upload|destroy)", self.path)
        if not found:
            raise Refusal(404, "Not found")
        asked, content = self._form(body)
        _check_signature(asked)
        kind, act = found.groups()
        if act == "destroy":
            gone = self.peer.assets.pop((kind, asked["public_id"]), None)
            self._json({"result": "ok" if gone else "not found"})
            return
        whole = self._whole(content)
        if whole is None:
            self._json({"done": False, "public_id": asked["public_id"]})
        else:
            self._json(self.peer.upload(kind, asked, whole))

    def _form(self, body: bytes) -> tuple[dict[str, str], bytes]:
        meta = {
            "CONTENT_TYPE": self.headers["Content-Type"],
            "CONTENT_LENGTH": str(len(body)),
        }
        form = MultiPartParser(meta, io.BytesIO(body), [TemporaryFileUploadHandler()])
        fields, files = form.parse()
        content = files["file"].read() if "file" in files else b""
        return {name: str(value) for name, value in fields.items()}, content

    def _whole(self, part: bytes) -> bytes | None:
        """All of an upload in parts once the last has come."""
        told = self.headers.get("Content-Range")
        if not told:
            return part
        self.peer.parts += 1
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", told)
        upload = self.headers.get("X-Unique-Upload-Id", "")
        _expect(bool(found and upload), 400, "Content-Range or X-Unique-Upload-Id is missing")
        first, last, total = map(int, found.groups()) if found else (0, 0, 0)
        before = self.peer.unfinished.pop(upload, b"")
        _expect((first, last + 1) == (len(before), len(before) + len(part)), 400, "Wrong range")
        _expect(last + 1 == total or len(part) >= 5 * 1024 * 1024, 400, "Part is too small")
        if last + 1 == total:
            return before + part
        self.peer.unfinished[upload] = before + part
        return None

    def _json(self, data: dict[str, Any]) -> None:
        self._send(200, json.dumps(data).encode(), "application/json")

    def _send(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _check_signature(asked: dict[str, str]) -> None:
    _expect(asked.get("api_key") == KEY, 401, "Unknown API key")
    signed = [
        f"{name}={value}".replace("&", "%26")
        for name, value in sorted(asked.items())
        if name not in _UNSIGNED and value
    ]
    text = ("&".join(signed) + SECRET).encode()
    good = {hashlib.sha1(text).hexdigest(), hashlib.sha256(text).hexdigest()}
    _expect(asked.get("signature") in good, 401, "Invalid Signature")
    age = time.time() - int(asked.get("timestamp", "0"))
    _expect(-600 < age < 3600 or "expires_at" in asked, 401, "Stale request")


def _expect(well: bool, status: int, message: str) -> None:
    if not well:
        raise Refusal(status, message)


@contextmanager
def serving() -> Iterator[Peer]:
    """The server, as long as the block lasts."""
    peer = Peer()
    server = Server(type("Bound", (PeerHandler,), {"peer": peer}))
    peer.url = server.url
    yield peer
    server.close()
