"""A virus scan by ClamAV's daemon, when one is configured: its INSTREAM command.

The protocol is spoken here, not by the package clamd: that sends with ``send``, which may leave
bytes out that then go unscanned, and connects without a time limit.
"""

from __future__ import annotations

import io
import re
import socket
import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.utils import timezone

from markethall.foundation.files.errors import InfectedFile, ScannerUnavailable
from markethall.foundation.files.pictures import MAX_BYTES

log = structlog.get_logger(__name__)
_CHUNK = 64 * 1024
_LONGEST_ANSWER = 4096  # bytes
_OLD = timedelta(days=7)
# The harmless text that every scanner must report; in two parts, so that none reports this file.
_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def scan(file: BinaryIO) -> None:
    """Raise InfectedFile when the scanner finds something, and ScannerUnavailable when it gives
    no clear answer: an unchecked file is not let in. Does nothing when no scanner is set."""
    address = settings.ENVIRONMENT.clamav_address
    if not address:
        return
    file.seek(0)
    try:
        answer = _ask(address, "INSTREAM", file)
    except OSError as error:
        log.error("virus scanner unreachable", address=address, error=str(error))
        raise ScannerUnavailable from error
    if answer.endswith(" FOUND"):
        log.warning("virus scanner refused a file", answer=answer)
        raise InfectedFile("Choose another file, and have this device checked.")
    if answer != "stream: OK":
        log.error("virus scanner failed", answer=answer)
        raise ScannerUnavailable


def probe(address: str) -> tuple[str, str]:
    """What a scanner says of itself, and what is wrong with it, empty when it finds the test virus
    and takes the largest file that we accept. Raises OSError when it cannot be reached."""
    version = _ask(address, "VERSION")
    answer = _ask(address, "INSTREAM", io.BytesIO(_EICAR))
    if not answer.endswith(" FOUND"):
        return version, f"It does not find the test virus ({answer}). Run freshclam."
    answer = _ask(address, "INSTREAM", io.BytesIO(bytes(MAX_BYTES)))
    if answer != "stream: OK":
        return version, f"It refuses large files ({answer}). Set StreamMaxLength to 12M or more."
    signatures_of = _signatures_of(version)
    if signatures_of and timezone.now() - signatures_of > _OLD:
        return version, "Its signatures are old. Let freshclam run as a service."
    return version, ""


def _signatures_of(version: str) -> datetime | None:
    """The date in ``ClamAV 1.4.6/27812/Thu Nov 20 09:46:02 2026``, which a daemon with signatures
    of its operator's own does not tell."""
    found = re.fullmatch(r"ClamAV [^/]+/\d+/(.+)", version)
    try:
        text = found[1] if found else ""
        return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return None


def _ask(address: str, command: str, content: BinaryIO | None = None) -> str:
    with _connect(address) as daemon:
        daemon.sendall(f"z{command}\0".encode())
        if content:
            # One that has heard enough answers and hangs up: its answer counts.
            with suppress(BrokenPipeError, ConnectionResetError):
                _send(daemon, content)
        answer = b""
        while b"\0" not in answer and len(answer) < _LONGEST_ANSWER:
            part = daemon.recv(_LONGEST_ANSWER)
            if not part:
                raise ConnectionError("It hung up without an answer.")
            answer += part
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _send(daemon: socket.socket, content: BinaryIO) -> None:
    while chunk := content.read(_CHUNK):
        daemon.sendall(struct.pack("!L", len(chunk)) + chunk)
    daemon.sendall(struct.pack("!L", 0))


def _connect(address: str) -> socket.socket:
    timeout = settings.ENVIRONMENT.clamav_timeout
    if address.startswith("unix:"):
        daemon = socket.socket(socket.AF_UNIX)
        daemon.settimeout(timeout)
        try:
            daemon.connect(address.removeprefix("unix:"))
        except OSError:
            daemon.close()
            raise
        return daemon
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 3310), timeout)
