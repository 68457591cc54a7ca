"""A browser at a running hall: what people do there, and what must never happen meanwhile."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, expect

PASSWORD = "a-long-enough-secret"
PHONE, DESK = (390, 844), (1280, 900)
PHOTO = Path(__file__).resolve().parent.parent / "content" / "photos"
_AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_PATIENCE = 30.0  # seconds, for what jobs do


@dataclass(frozen=True, slots=True)
class Hall:
    """A running hall, reached over HTTP only."""

    url: str

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """A call of the API; the answer's JSON. Raises HTTPError for refusals."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def mailed_link(self, email: str, holding: str) -> str:
        """The newest link mailed to ``email`` whose address contains ``holding``."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            sent = self.call("GET", f"/api/dev/outbox?to={urllib.parse.quote(email)}")
            for mail in sent["items"]:
                for link in mail["links"]:
                    if holding in link:
                        return str(link)
            time.sleep(0.1)
        raise AssertionError(f"Nobody mailed {email} a link to {holding}.")

    def join(self, email: str = "", name: str = "Ada") -> str:
        """Somebody with a verified account; returns the address."""
        email = email or new_address()
        account = {"email": email, "password": PASSWORD, "name": name}
        self.call("POST", "/api/auth/register", account)
        with urllib.request.urlopen(self.mailed_link(email, "/verify-email/"), timeout=20):
            return email

    def token(self, email: str) -> str:
        """A bearer token of somebody who has joined."""
        signed_in = self.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
        return str(signed_in["token"])


@dataclass
class Visitor:
    """One person's browser. ``faults`` collects what no page may cause."""

    hall: Hall
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note script errors, refused content and broken answers from now on."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("response", self._answered)
        # Asked for only when a chooser is expected, Chromium may hear of it after the key press.
        self.page.on("filechooser", lambda _chooser: None)

    def _heard(self, message: ConsoleMessage) -> None:
        # A refusal that a page handles is logged by the browser all the same.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.faults.append(f"console at {self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} of {response.url}")

    def go(self, path: str) -> Page:
        """Open a page of the hall."""
        self.page.goto(self.hall.url + path)
        return self.page

    def sign_in(self, email: str, way_on: str = "/plushify") -> Page:
        """Sign in by the form."""
        page = self.go(f"/login?next={urllib.parse.quote(way_on)}")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("form").get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{way_on}")
        return page

    def make_picture(self, photo: Path | dict[str, Any], wish: str = "") -> Page:
        """Walk through the wizard until the picture is there."""
        page = self.go("/plushify/create")
        page.locator("input[type=file]").set_input_files(photo)  # type: ignore[arg-type]
        page.get_by_role("button", name="Use this photo").click()
        expect(page.get_by_role("heading", name="How shall we sew it?")).to_be_visible()
        page.locator("input[value=minimalist]").check()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("heading", name="How big?")).to_be_visible()
        page.locator("input[value=small]").check()
        page.get_by_label("A wish or a name").fill(wish)
        page.get_by_role("button", name="Next").click()
        page.get_by_role("button", name="Make my plush").click()
        expect(page.get_by_role("heading", name="Here it is")).to_be_visible(timeout=60_000)
        return page

    def axe(self) -> list[str]:
        """What axe finds against WCAG 2.2 A and AA on the present page. Axe sets inline styles, so
        its visitor arrives with ``audit=True``."""
        self.page.evaluate(_AXE.read_text())
        found = self.page.evaluate(
            "tags => axe.run(document, {preload: false, runOnly: {type: 'tag', values: tags}})",
            _WCAG,
        )
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def tab_to(self, selector: str, limit: int = 60) -> None:
        """Press Tab until what ``selector`` names has the focus."""
        for _ in range(limit):
            if self.page.evaluate("s => !!document.activeElement?.matches(s)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {selector}.")


def new_address() -> str:
    return f"ada-{uuid.uuid4().hex[:10]}@example.com"


def number_in(text: str) -> int:
    """The first whole number in a text."""
    found = re.search(r"\d+", text)
    assert found, text
    return int(found[0])


def small_photo() -> dict[str, Any]:
    """A photo that is quickly made a toy of, as a file to choose."""
    from PIL import Image, ImageDraw

    out = io.BytesIO()
    picture = Image.new("RGB", (240, 240), "#e8e4da")
    ImageDraw.Draw(picture).ellipse((60, 50, 180, 200), fill="#c2452d")
    picture.save(out, "PNG")
    return {"name": "ball.png", "mimeType": "image/png", "buffer": out.getvalue()}


def overflow(pages: Sequence[Page]) -> list[str]:
    """Pages that are wider than the screen."""
    wider = "document.documentElement.scrollWidth > innerWidth"
    return [page.url for page in pages if page.evaluate(wider)]
