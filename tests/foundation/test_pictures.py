from __future__ import annotations

import io
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PIL import Image, ImageCms

from house.photos import encoded, jpeg_of, moving, opened, photo, png_of, scan_bomb
from markethall.foundation.files import pictures
from markethall.foundation.files.errors import (
    InfectedFile,
    InvalidPicture,
    ScannerUnavailable,
    UnsupportedMediaType,
)
from markethall.foundation.files.pictures import MAX_BYTES, Picture, clean_picture
from markethall.foundation.files.scan import scan
from markethall.kernel.errors import PayloadTooLarge, Problem, TooManyRequests


def clean(content: bytes, name: str = "", declared_type: str = "") -> Picture:
    return clean_picture(
        io.BytesIO(content), size=len(content), name=name, declared_type=declared_type
    )


class TestWhatComesOut:
    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
    def test_a_picture_keeps_its_kind_and_size(self, form: str) -> None:
        picture = clean(photo(form))
        assert (picture.content_type, picture.width, picture.height) == (
            f"image/{form.lower()}",
            64,
            48,
        )
        assert opened(picture.content).format == form

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
    def test_every_mode_ends_as_something_simple(self, mode: str) -> None:
        form = "JPEG" if mode == "CMYK" else "PNG"
        source = Image.new("I;16", (64, 48), 30000) if mode == "I;16" else None
        content = encoded(source, "PNG") if source else photo(form, mode=mode)
        assert opened(clean(content).content).mode in {"L", "RGB", "RGBA"}

    def test_deep_greys_keep_their_brightness(self) -> None:
        content = encoded(Image.new("I;16", (32, 32), 128 * 256), "PNG")
        assert opened(clean(content).content).getpixel((5, 5)) == 128

    def test_transparency_stays(self) -> None:
        see_through = Image.new("P", (32, 32), 0)
        see_through.putpalette([255, 0, 0, 0, 255, 0])
        picture = opened(clean(encoded(see_through, "PNG", transparency=0)).content)
        assert picture.mode == "RGBA"
        assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_the_orientation_is_applied(self, orientation: int) -> None:
        upright = Image.new("RGB", (64, 32), "white")
        upright.paste("black", (0, 0, 32, 16))
        lying = upright
        for turn in {
            2: [Image.Transpose.FLIP_LEFT_RIGHT],
            3: [Image.Transpose.ROTATE_180],
            4: [Image.Transpose.FLIP_TOP_BOTTOM],
            5: [Image.Transpose.TRANSPOSE],
            6: [Image.Transpose.ROTATE_90],
            7: [Image.Transpose.TRANSVERSE],
            8: [Image.Transpose.ROTATE_270],
        }.get(orientation, []):
            lying = lying.transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture = opened(clean(encoded(lying, "PNG", exif=exif)).content)
        assert picture.size == (64, 32)
        assert picture.getpixel((5, 5)) == (0, 0, 0)
        assert picture.getpixel((60, 28)) == (255, 255, 255)

    def test_metadata_and_what_follows_the_picture_are_gone(self) -> None:
        exif = Image.Exif()
        exif[0x010E] = "taken at home"
        polyglot = (
            photo("JPEG", exif=exif, comment=b"secret") + b"<script>alert(1)</script>PK\x03\x04"
        )
        content = clean(polyglot).content
        assert opened(content).getexif() == {}
        assert not any(trace in content for trace in (b"home", b"secret", b"script", b"PK\x03"))

    def test_unreadable_metadata_is_no_fault(self) -> None:
        exif = b"Exif\x00\x00MM\x00*\xff\xff\xff\xff" + b"\xff" * 40
        assert clean(photo("JPEG", exif=exif)).width == 64

    def test_colours_are_turned_into_srgb(self) -> None:
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        picture = opened(clean(photo("PNG", mode="RGBA", icc_profile=lab)).content)
        assert (picture.mode, picture.info.get("icc_profile")) == ("RGBA", None)
        assert opened(clean(photo("PNG", icc_profile=b"no profile")).content).size == (64, 48)

    def test_large_pictures_are_reduced(self) -> None:
        wide = encoded(Image.new("L", (5000, 100), 7), "PNG")
        assert (clean(wide).width, clean(wide).height) == (4096, 82)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", InvalidPicture),
            (b"hello", UnsupportedMediaType),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedMediaType),
            (moving("GIF"), UnsupportedMediaType),
            (encoded(Image.new("RGB", (32, 32)), "TIFF"), UnsupportedMediaType),
            (encoded(Image.new("RGB", (32, 32)), "BMP"), UnsupportedMediaType),
            (moving("PNG"), InvalidPicture),
            (moving("WEBP"), InvalidPicture),
            (photo("PNG")[:60], InvalidPicture),
            (photo("JPEG")[:-200], InvalidPicture),
            (photo("WEBP")[:-50], InvalidPicture),
            (b"\xff\xd8\xff\xe0 and nothing more", InvalidPicture),
            (b"RIFF\x10\x00\x00\x00WEBPVP8 ", InvalidPicture),
            (png_of(100_000, 100_000), InvalidPicture),
            (png_of(10_000, 5_001), InvalidPicture),
            (jpeg_of(65_000, 65_000), InvalidPicture),
            (png_of(0, 5), InvalidPicture),
            (photo(size=(15, 400)), InvalidPicture),
            (scan_bomb(200), InvalidPicture),
        ],
    )
    def test_hostile_bytes(self, content: bytes, problem: type[Problem]) -> None:
        with pytest.raises(problem):
            clean(content)

    @pytest.mark.parametrize(
        ("name", "declared_type", "problem"),
        [
            ("a.php", "image/png", UnsupportedMediaType),
            ("a.png", "image/gif", UnsupportedMediaType),
            ("a.png", "text/html", UnsupportedMediaType),
            ("a.jpg", "image/png", InvalidPicture),
            ("a.png", "image/jpeg", InvalidPicture),
            ("..\\..\\boot.exe", "", UnsupportedMediaType),
        ],
    )
    def test_names_and_types_that_lie(
        self, name: str, declared_type: str, problem: type[Problem]
    ) -> None:
        with pytest.raises(problem):
            clean(photo("PNG"), name, declared_type)

    @pytest.mark.parametrize(
        ("name", "declared_type"),
        [
            ("", ""),
            ("holiday", "application/octet-stream"),
            ("A.JPEG", "image/jpg"),
            ("../../etc/a.jpg", "image/jpeg; charset=binary"),
        ],
    )
    def test_names_and_types_that_say_nothing_or_the_truth(
        self, name: str, declared_type: str
    ) -> None:
        assert clean(photo("JPEG"), name, declared_type).content_type == "image/jpeg"

    def test_more_than_ten_megabytes(self) -> None:
        with pytest.raises(PayloadTooLarge):
            clean_picture(io.BytesIO(photo()), size=MAX_BYTES + 1)

    def test_big_pictures_wait_for_their_turn_only_so_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pictures, "_BIG", 100)
        monkeypatch.setattr(pictures, "_PATIENCE", 0.0)
        assert clean(photo()).width == 64
        with pictures._turn(101), pytest.raises(TooManyRequests):
            clean(photo())
        assert clean(photo()).width == 64

    @profile(max_examples=150)
    @given(data=st.data(), form=st.sampled_from(["JPEG", "PNG", "WEBP"]))
    def test_damaged_pictures_are_refused_or_clean(self, data: Any, form: str) -> None:
        content = bytearray(photo(form))
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            picture = clean(bytes(content))
        except (InvalidPicture, UnsupportedMediaType):
            return
        assert opened(picture.content).size == (picture.width, picture.height)


class FakeDaemon(socketserver.StreamRequestHandler):
    """Speaks as much of clamd's INSTREAM as a test needs; it finds nothing but ``EICAR``."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!L", self.rfile.read(4))[0]:
            content += self.rfile.read(length)
        if b"BROKEN" in content:
            self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
        elif b"EICAR" in content:
            self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0")
        else:
            self.wfile.write(b"stream: OK\0")


class TestVirusScan:
    @pytest.fixture
    def daemon(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), FakeDaemon) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            address = f"tcp://127.0.0.1:{server.server_address[1]}"
            monkeypatch.setattr(django_settings.ENVIRONMENT, "clamav_address", address)
            yield
            server.shutdown()

    def test_without_a_scanner_everything_passes(self) -> None:
        scan(io.BytesIO(b"EICAR"))

    def test_the_scanner_sees_the_whole_file(self, daemon: None) -> None:
        scan(io.BytesIO(b"x" * 200_000))
        with pytest.raises(InfectedFile):
            scan(io.BytesIO(b"x" * 200_000 + b"EICAR"))

    def test_no_clear_answer_lets_nothing_in(self, daemon: None) -> None:
        with pytest.raises(ScannerUnavailable):
            scan(io.BytesIO(b"BROKEN"))

    @pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:/nowhere/clamd.sock"])
    def test_no_scanner_lets_nothing_in(
        self, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setattr(django_settings.ENVIRONMENT, "clamav_address", address)
        with pytest.raises(ScannerUnavailable):
            scan(io.BytesIO(b"fine"))
