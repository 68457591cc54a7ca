"""People who use a running hall over HTTP, as a front end would: they try again when it fails."""

from __future__ import annotations

import io
import time
import uuid
from typing import Any

import httpx
from PIL import Image

PASSWORD = "a-long-enough-secret"


class NoAnswer(Exception):
    """The hall gave no answer that can be used, however often it was asked."""


class Visitor:
    """One person with an account. ``patience`` is how long a request is tried, in seconds."""

    def __init__(self, base_url: str, email: str = "", *, patience: float = 0.0) -> None:
        self.email = email or f"{uuid.uuid4().hex}@example.com"
        self.patience = patience
        self.web = httpx.Client(base_url=base_url, timeout=30)
        self.user_id = ""

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request until it is answered with less than 500. Safe for what carries a key."""
        until = time.monotonic() + self.patience
        while True:
            try:
                answer = self.web.request(method, path, **more)
                if answer.status_code < 500 or not self.patience:
                    return answer
                fault = f"{answer.status_code} {answer.text[:200]}"
            except httpx.HTTPError as error:
                if not self.patience:
                    raise
                fault = f"{type(error).__name__} {error}"
            if time.monotonic() > until:
                raise NoAnswer(f"{method} {path}: {fault}")
            time.sleep(0.2)

    def post(self, path: str, document: Any = None, key: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.ask("POST", path, json=document or {}, headers=headers)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sign_up(self) -> Visitor:
        """Register, open the mailed link, sign in."""
        person = {"email": self.email, "password": PASSWORD}
        answer = self.ask("POST", "/api/auth/register", json={**person, "name": "Vera"})
        assert answer.status_code == 201, answer.text
        until = time.monotonic() + max(self.patience, 10)
        while True:
            self._open_link()
            answer = self.ask("POST", "/api/auth/login", json=person)
            if answer.status_code == 200:
                break
            assert time.monotonic() < until, answer.text
            time.sleep(0.2)
        self.user_id = answer.json()["user"]["id"]
        self.web.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        self.web.cookies.clear()
        return self

    def upload(self) -> str:
        """Upload a small picture; its id."""
        picture = io.BytesIO()
        Image.effect_mandelbrot((96, 80), (-2, -1.2, 1, 1.2), 20).convert("RGB").save(
            picture, "PNG"
        )
        files = {"file": ("photo.png", picture.getvalue(), "image/png")}
        answer = self.ask("POST", "/api/images/upload", files=files)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def generate(self, upload_id: str) -> httpx.Response:
        wish = {"uploadId": upload_id, "style": "minimalist", "size": "small", "prompt": ""}
        return self.post("/api/images/generate", wish)

    def buy(self, **told: Any) -> str:
        """Buy a pack of 50 credits and pay it; ``told`` says how the gateway tells of it."""
        started = self.post("/api/payments/create-checkout", {"item": "credits-50"})
        assert started.status_code == 201, started.text
        page = started.json()["checkoutUrl"]
        paid = self.ask("POST", f"{page}/pay", json={"outcome": "paid", **told})
        assert paid.status_code == 200, paid.text
        return str(started.json()["orderId"])

    def balance(self) -> int:
        return int(self.get("/api/credits/balance")["balance"])

    def history(self) -> list[dict[str, Any]]:
        """All of the credit history, newest first."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/api/credits/history", limit=100, **cursor)
            items += page["items"]
            if not page["nextCursor"]:
                return items
            cursor = {"cursor": page["nextCursor"]}

    def _open_link(self) -> None:
        for mail in self.get("/api/dev/outbox", to=self.email)["items"]:
            for link in mail["links"]:
                if "verif" in link or "confirm" in link:
                    self.ask("GET", link)
                    return
