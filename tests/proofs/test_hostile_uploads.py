"""A thousand hostile uploads against a running hall: each is refused with a problem document or
kept as a clean picture, memory stays bounded, and the hall answers afterwards."""

from __future__ import annotations

import io
import random
import re
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from bench.hall import ROOT, Hall, fresh
from PIL import Image

from house.photos import encoded, jpeg_of, moving, opened, photo, png_of, scan_bomb

pytestmark = pytest.mark.slow
UPLOADS = 1000
EACH = 50  # a minute has room for 60 uploads of one person
MIB = 1024 * 1024
AT_WORK, AFTERWARDS = 900 * MIB, 250 * MIB  # bytes that the hall may use more than at rest
Upload = tuple[bytes, str, str]


_SIGN_UPS = """
from markethall.interfaces.cli.setup import prepare
prepare()
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.tokens import issue_token
for number in range({people}):
    user = User.objects.create_user(f"mallory-{{number}}@example.com", None)
    print(issue_token(user, Token.Kind.SESSION)[1])
"""


@pytest.fixture
def hall() -> Iterator[Hall]:
    # Not pytest's own folder: as root, the database runs under a user who may not enter it.
    folder = fresh(ROOT / ".cache" / "proofs" / "hostile_uploads")
    opened = Hall(folder, DATABASE_URL="", SANDBOX_WEBHOOK_SECRET="")
    opened.start()
    yield opened
    opened.stop()


def _tokens(hall: Hall, people: int) -> list[str]:
    environment = {**hall._environment(), "MARKETHALL_SUPERVISED": "1"}
    code = _SIGN_UPS.format(people=people)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def _mutated(chance: random.Random) -> Upload:
    form = chance.choice(["JPEG", "PNG", "WEBP"])
    content = bytearray(photo(form, size=(160, 120)))
    for _ in range(chance.randint(1, 30)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content), f"me.{form.lower()}", f"image/{form.lower()}"


def _truncated(chance: random.Random) -> Upload:
    form = chance.choice(["JPEG", "PNG", "WEBP"])
    content = photo(form, size=(160, 120))
    return content[: chance.randrange(len(content))], f"me.{form.lower()}", f"image/{form.lower()}"


def _polyglot(chance: random.Random) -> Upload:
    behind = io.BytesIO()
    with zipfile.ZipFile(behind, "w") as archive:
        archive.writestr("run.sh", "echo pwned")
    tail = chance.choice([behind.getvalue(), b"<script>alert(1)</script>", b"<?php phpinfo(); ?>"])
    return photo("PNG") + tail, "me.png", "image/png"


def _bomb(chance: random.Random) -> Upload:
    side = chance.randrange(8_000, 100_000)
    return chance.choice(
        [
            (png_of(side, side), "me.png", "image/png"),
            (jpeg_of(65_000, chance.randrange(1_000, 65_000)), "me.jpg", "image/jpeg"),
            (scan_bomb(chance.randrange(150, 3_000)), "me.jpg", "image/jpeg"),
            (moving("PNG"), "me.png", "image/png"),
            (moving("WEBP"), "me.webp", "image/webp"),
        ]
    )


def _wrong_type(chance: random.Random) -> Upload:
    return chance.choice(
        [
            (b"just text", "me.png", "image/png"),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "me.svg", "image/svg+xml"),
            (b"<!doctype html><script>x()</script>", "me.jpg", "image/jpeg"),
            (moving("GIF"), "me.gif", "image/gif"),
            (encoded(Image.new("RGB", (64, 64)), "TIFF"), "me.tiff", "image/tiff"),
            (encoded(Image.new("RGB", (64, 64)), "BMP"), "me.png", "image/png"),
            (photo("PNG"), "me.jpg", "image/jpeg"),
            (photo("JPEG"), "me.php", "image/jpeg"),
            (photo("JPEG"), "me.jpg", "text/html"),
            (b"%PDF-1.7", "me.pdf", "application/pdf"),
            (b"", "me.png", "image/png"),
            (b"\x00" * 4096, "me.webp", "image/webp"),
            (chance.randbytes(5_000), "me.png", "image/png"),
        ]
    )


def _named(chance: random.Random) -> Upload:
    names = ["../../../etc/passwd", "..\\..\\boot.ini", "a\x00.png", "/etc/cron.d/x.png", "." * 300]
    return photo("PNG"), chance.choice(names), "image/png"


def _too_large(chance: random.Random) -> Upload:
    size = chance.choice([10 * 1024 * 1024, 11 * 1024 * 1024, 13 * 1024 * 1024])
    return photo("JPEG") + b"\x00" * size, "me.jpg", "image/jpeg"


def _large(chance: random.Random) -> Upload:
    """As large as is let in: what costs most memory."""
    side = chance.choice([7_000, 7_071])
    return encoded(Image.new("RGBA", (side, side), (1, 2, 3, 4)), "PNG"), "me.png", "image/png"


def _uploads(chance: random.Random) -> Iterator[Upload]:
    kinds = [_mutated] * 6 + [_truncated] * 4 + [_polyglot, _bomb, _bomb, _wrong_type, _wrong_type]
    large = _large(chance)
    for number in range(UPLOADS):
        if number % 100 == 99:
            yield large
        elif number % 50 == 25:
            yield _too_large(chance)
        else:
            yield chance.choice([*kinds, _named])(chance)


class Watch(threading.Thread):
    """The most memory that a hall's processes have held since the watch began, in bytes."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(daemon=True)
        self.hall, self.over = hall, threading.Event()
        self.at_rest = self.peak = hall.memory()

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.peak = max(self.peak, self.hall.memory())

    def more(self, memory: int) -> str:
        return f"{(memory - self.at_rest) / MIB:.0f} MiB more than at rest"


def test_a_thousand_hostile_uploads(hall: Hall) -> None:
    address = f"http://127.0.0.1:{hall.port}"
    tokens = _tokens(hall, UPLOADS // EACH)
    watch = Watch(hall)
    watch.start()
    outcomes: Counter[int] = Counter()
    with httpx.Client(base_url=address, timeout=120) as client:
        for number, (content, name, content_type) in enumerate(_uploads(random.Random(7))):
            client.headers["Authorization"] = f"Bearer {tokens[number // EACH]}"
            upload = {"file": (name, content, content_type)}
            try:
                answer = client.post("/api/images/upload", files=upload)
            except (httpx.WriteError, httpx.ReadError):
                outcomes[413] += 1  # refused by its announced length, before it was all sent
                continue
            outcomes[answer.status_code] += 1
            _check(answer)
    watch.over.set()
    afterwards = hall.memory()
    assert sum(outcomes.values()) == UPLOADS
    assert watch.peak - watch.at_rest < AT_WORK, watch.more(watch.peak)
    assert afterwards - watch.at_rest < AFTERWARDS, watch.more(afterwards)
    assert httpx.get(f"{address}/readyz").status_code == 200
    kept = [path.suffix for path in (hall.folder / "files").rglob("*") if path.is_file()]
    assert len(kept) == outcomes[201]
    assert set(kept) <= {".jpg", ".png", ".webp"}
    print(dict(outcomes), "peak:", watch.more(watch.peak), "afterwards:", watch.more(afterwards))


def _check(answer: httpx.Response) -> None:
    """A clean picture, or a problem document."""
    if answer.status_code == 201:
        content = httpx.get(answer.json()["url"]).content
        assert opened(content).size == (answer.json()["width"], answer.json()["height"])
        assert not re.search(rb"<script|<\?php|pwned", content)
    else:
        assert answer.status_code in {400, 413, 415, 422}, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
