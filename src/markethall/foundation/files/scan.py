"""A virus scan by ClamAV's daemon, when one is configured: its INSTREAM command."""

from __future__ import annotations

import socket
import struct
from typing import BinaryIO
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from markethall.foundation.files.errors import InfectedFile, ScannerUnavailable

log = structlog.get_logger(__name__)
_TIMEOUT = 20.0  # seconds, for each step
_CHUNK = 64 * 1024


def scan(file: BinaryIO) -> None:
    """Raise InfectedFile when the scanner finds something, and ScannerUnavailable when it gives
    no clear answer: an unchecked file is not let in. Does nothing when no scanner is set."""
    address = settings.ENVIRONMENT.clamav_address
    if not address:
        return
    try:
        answer = _ask(address, file)
    except OSError as error:
        log.error("virus scanner unreachable", address=address, error=str(error))
        raise ScannerUnavailable("Try again in a few minutes.") from error
    if answer.endswith("FOUND"):
        log.warning("virus scanner refused a file", answer=answer)
        raise InfectedFile("Choose another file, and have this device checked.")
    if not answer.endswith("OK"):
        log.error("virus scanner failed", answer=answer)
        raise ScannerUnavailable("Try again in a few minutes.")


def _ask(address: str, file: BinaryIO) -> str:
    file.seek(0)
    with _connect(address) as daemon:
        daemon.sendall(b"zINSTREAM\0")
        while chunk := file.read(_CHUNK):
            daemon.sendall(struct.pack("!L", len(chunk)) + chunk)
        daemon.sendall(struct.pack("!L", 0))
        answer = b""
        while b"\0" not in answer and (part := daemon.recv(4096)):
            answer += part
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _connect(address: str) -> socket.socket:
    if address.startswith("unix:"):
        daemon = socket.socket(socket.AF_UNIX)
        daemon.settimeout(_TIMEOUT)
        daemon.connect(address.removeprefix("unix:"))
        return daemon
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 3310), _TIMEOUT)
