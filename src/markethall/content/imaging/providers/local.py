"""The default provider: image processing on this machine, no account and no network.

Each picture is made in a process of its own, so that a crash in native code costs one try and
not the worker, a picture that takes too long can be stopped, and its memory comes back.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys

import structlog

from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderRefused,
    ProviderUnavailable,
)

log = structlog.get_logger(__name__)
UNUSABLE = 3  # what local_child ends with
TIMEOUT = 90.0  # seconds
_CHILD = "markethall.content.imaging.providers.local_child"
_UNUSABLE = "No plush toy could be made of this photo. Try another one, with one clear subject."


class LocalProvider:
    """Makes pictures with ``plush``. It cannot read the prompt, which only goes into the seed."""

    model = "plush"

    def make(self, wish: PictureWish) -> MadePicture:
        order = json.dumps(
            {"style": wish.style, "longerSide": wish.longer_side, "seed": wish.seed}
        ).encode()
        try:
            child = subprocess.run(
                [sys.executable, "-m", _CHILD],
                input=struct.pack("!L", len(order)) + order + wish.original,
                capture_output=True,
                timeout=TIMEOUT,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ProviderUnavailable(f"took longer than {TIMEOUT:.0f} s") from error
        if child.returncode:
            complaint = child.stderr.decode("utf-8", "replace")[-4000:]
            log.error("plush process failed", code=child.returncode, stderr=complaint)
        if child.returncode == UNUSABLE:
            raise ProviderRefused(_UNUSABLE)
        if child.returncode:
            raise ProviderUnavailable(f"the process ended with {child.returncode}")
        return _parse(child.stdout)

    def probe(self) -> str:
        return "on this machine"


def _parse(answer: bytes) -> MadePicture:
    (length,) = struct.unpack_from("!L", answer)
    told = json.loads(answer[4 : 4 + length])
    return MadePicture(answer[4 + length :], told["contentType"], told["width"], told["height"])
