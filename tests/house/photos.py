"""Pictures to upload: honest ones, and the kinds that nobody should let in."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


def photo(
    form: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **save: Any
) -> bytes:
    """A small picture with some colour in it, encoded."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    picture.paste((200, 40, 90), (0, 0, size[0] // 2, size[1] // 2))
    return encoded(picture.convert(mode), form, **save)


def encoded(picture: Image.Image, form: str, **save: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **save)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG whose header tells of ``width`` × ``height`` pixels, whatever its data."""
    header = struct.pack("!LLBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows or b"\x00" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!L", len(data)) + kind + data + struct.pack("!L", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header tells of ``width`` × ``height`` pixels."""
    content = bytearray(photo("JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack("!HH", height, width)
    return bytes(content)


def scan_bomb(scans: int) -> bytes:
    """A small progressive JPEG that makes its decoder pass over the pixels again and again."""
    content = photo("JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    end = content.rindex(b"\xff\xd9")
    return content[:last] + content[last:end] * scans + b"\xff\xd9"


def moving(form: str) -> bytes:
    """An animation of two frames."""
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
