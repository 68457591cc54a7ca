"""Uploaded pictures: proved to be what they claim by decoding them, and encoded anew.

What comes out has its orientation applied, sRGB colours, no metadata and nothing behind the
picture. Memory is bounded: the header is read before any pixel, and big pictures are decoded
one at a time in a process.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from PIL import ExifTags, Image, ImageCms, _imaging

from markethall.foundation.files.errors import InvalidPicture, UnsupportedMediaType
from markethall.kernel.errors import PayloadTooLarge, TooManyRequests

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
MIN_SIDE = 16  # pixels, of the shorter side
STORED_SIDE = 4096  # pixels, of the longer side; larger pictures are reduced to it
# A progressive JPEG has about ten scans. Each costs a pass over all pixels, however few its bytes.
_MAX_SCANS = 100
_BIG = 8_000_000  # pixels
_PATIENCE = 10.0  # seconds that a big picture waits for its turn
_big_ones = threading.BoundedSemaphore(1)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}
# Pixels are counted here, and what Pillow thinks of somebody's metadata is no news.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")

# Pixels in pieces large enough that the allocator gives each back to the system when it is freed:
# with Pillow's 16 MB, a process keeps some 400 MB after one large picture.
_imaging.set_block_size(64 * 1024 * 1024)

_ENCODING: dict[str, dict[str, int]] = {
    "image/jpeg": {"quality": 92},
    "image/png": {"compress_level": 4},
    "image/webp": {"quality": 92, "method": 3},
}
_EXTENSIONS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_DECLARED = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_SAYS_NOTHING = {"", "application/octet-stream", "binary/octet-stream"}
_ACCEPTED = "Upload a JPEG, PNG or WebP picture."
_DAMAGED = "This picture is damaged or incomplete. Open it, save it again and upload that."


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean picture, encoded; ``width`` and ``height`` in pixels."""

    content: bytes
    content_type: str
    width: int
    height: int


def clean_picture(file: BinaryIO, *, size: int, name: str = "", declared_type: str = "") -> Picture:
    """Check an upload of ``size`` bytes and encode it anew in its own format.

    ``name`` and ``declared_type`` are what the sender calls it; where they say something, it has
    to be true. Raises PayloadTooLarge, UnsupportedMediaType, InvalidPicture, and TooManyRequests
    when too many big pictures come at once.
    """
    if size > MAX_BYTES:
        raise PayloadTooLarge(f"A picture has at most {MAX_BYTES // 1024 // 1024} MB.")
    if size == 0:
        raise InvalidPicture("This file is empty.")
    content_type = _kind_of(file, name, declared_type)
    with _open(file) as picture:
        _check_header(picture)
        with _turn(picture.width * picture.height):
            return _encode(_decode(picture), content_type)


def _kind_of(file: BinaryIO, name: str, declared_type: str) -> str:
    """The content type that the first bytes tell, if name and declaration agree with it."""
    declared = declared_type.partition(";")[0].strip().lower()
    declared = _DECLARED.get(declared, declared)
    if declared not in _SAYS_NOTHING and declared not in _NAMES:
        raise UnsupportedMediaType(f"{declared[:60]} is not accepted. {_ACCEPTED}")
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix and suffix not in _EXTENSIONS:
        raise UnsupportedMediaType(f"Files ending in {suffix[:16]} are not accepted. {_ACCEPTED}")
    found = _magic(file)
    if found is None:
        raise UnsupportedMediaType(f"This file is none of these, whatever its name. {_ACCEPTED}")
    for claim in (_EXTENSIONS.get(suffix), declared if declared in _NAMES else None):
        if claim and claim != found:
            raise InvalidPicture(
                f"This file claims to be {_NAMES[claim]} and is {_NAMES[found]}."
                " Give it the right ending and upload it again."
            )
    if found == "image/jpeg" and _scans(file) > _MAX_SCANS:
        raise InvalidPicture(_DAMAGED)
    return found


def _magic(file: BinaryIO) -> str | None:
    file.seek(0)
    head = file.read(12)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return "image/webp"
    return None


def _scans(file: BinaryIO) -> int:
    """How many scans a JPEG has; within a scan's data the marker cannot occur."""
    file.seek(0)
    return file.read().count(b"\xff\xda")


@contextmanager
def _open(file: BinaryIO) -> Iterator[Image.Image]:
    """Open without decoding. Decoders raise all sorts of things at hostile bytes: each of them
    says that the picture is damaged."""
    file.seek(0)
    try:
        picture = Image.open(file, formats=("JPEG", "PNG", "WEBP", "MPO"))
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:
        raise InvalidPicture(_DAMAGED) from error
    with picture:
        yield picture


def _check_header(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_many_pixels()
    if min(picture.size) < MIN_SIDE:
        raise InvalidPicture(f"A picture has at least {MIN_SIDE} × {MIN_SIDE} pixels.")
    # A phone's JPEG may carry a second view of the same moment (MPO): the first one counts.
    if picture.format in {"PNG", "WEBP"} and getattr(picture, "n_frames", 1) > 1:
        raise InvalidPicture("This picture moves. Upload a still one.")


def _too_many_pixels() -> InvalidPicture:
    return InvalidPicture(f"A picture has at most {MAX_PIXELS // 1_000_000} million pixels.")


@contextmanager
def _turn(pixels: int) -> Iterator[None]:
    """Let big pictures pass one at a time."""
    if pixels <= _BIG:
        yield
        return
    if not _big_ones.acquire(timeout=_PATIENCE):
        raise TooManyRequests(5)
    try:
        yield
    finally:
        _big_ones.release()


def _decode(picture: Image.Image) -> Image.Image:
    """Every pixel, turned upright, in sRGB (L, RGB or RGBA), reduced to ``STORED_SIDE``."""
    turn = _TURNS.get(_orientation(picture))
    profile = picture.info.get("icc_profile")
    try:
        picture.draft(picture.mode, (STORED_SIDE, STORED_SIDE))
        picture.load()
        plain = _reduced(_plain(picture))
    except Exception as error:
        raise InvalidPicture(_DAMAGED) from error
    upright = plain.transpose(turn) if turn is not None else plain
    return _in_srgb(upright, profile)


def _orientation(picture: Image.Image) -> int:
    """EXIF's orientation; metadata that cannot be read is no fault of the picture."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized and encoded; its depth reduced to 8 bits."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in {"P", "PA", "LA", "La", "RGBa"} or "transparency" in picture.info:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture.convert("L") if picture.mode == "1" else picture


def _reduced(picture: Image.Image) -> Image.Image:
    longer = max(picture.size)
    if longer <= STORED_SIDE:
        return picture
    width, height = (max(1, round(side * STORED_SIDE / longer)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB; a profile that cannot be used is left out of account."""
    colours = picture
    if profile:
        try:
            colours = _converted(picture, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            colours = picture
    return colours if colours.mode in {"L", "RGB", "RGBA"} else colours.convert("RGB")


def _converted(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    srgb = ImageCms.createProfile("sRGB")
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB") if alpha else picture
    converted = ImageCms.profileToProfile(colours, source, srgb, outputMode="RGB")
    if converted is None:
        return picture
    if alpha:
        converted.putalpha(alpha)
    return converted


def _encode(picture: Image.Image, content_type: str) -> Picture:
    out = io.BytesIO()
    picture.info = {}  # or Pillow writes some of it again
    picture.save(out, _NAMES[content_type].upper(), **_ENCODING[content_type])
    return Picture(out.getvalue(), content_type, picture.width, picture.height)
