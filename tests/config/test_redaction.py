"""Secrets and personal data stay out of logs and error reports."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import subprocess
import sys
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from house.people import ApiClient, make_user
from markethall.config.environment import Environment
from markethall.config.log import logging_settings
from markethall.config.redaction import _LOOKS, REMOVED, Redactor, redactor

DSN_KEY = "0123456789abcdef0123456789abcdef"
SECRETS = {
    "secret_key": "a-secret-key-of-forty-characters-or-more-x",
    "sandbox_webhook_secret": "whsec_c2VudGluZWwtc2VjcmV0LW9mLXRoZS1ob29r",
    "smtp_password": "sentinel-of-the-mail-server",
    "google_client_secret": "sentinel-of-google",
    "metrics_token": "sentinel-of-the-collector",
    "database_url": "postgresql://hall:sentinel%2Fof-the-database@db/hall",
}
PASSWORD, EMAIL = "sentinel of a person", "sentinel.person@example.com"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the log says, at its most talkative, as it would in production."""
    environment = Environment(**SECRETS, log_level="DEBUG", log_format="json")
    written = io.StringIO()
    chosen = logging_settings(environment)
    chosen["handlers"]["stderr"]["stream"] = written
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    logging.config.dictConfig(chosen)
    yield written
    root.handlers[:] = before


@pytest.mark.parametrize(
    "text",
    [
        f"connecting with {SECRETS['smtp_password']}",
        "the database says: password 'sentinel/of-the-database' is wrong",
        f"sent to {EMAIL}",
        "Authorization: Bearer sentinel-token-123",
        "{'password': 'sentinel of a person', 'name': 'x'}",
        'token="sentinel token"',
        "GET /reset-password/c2VudGluZWw:1vabc:sentinel",
        "stripe.Client('sk_live_sentinel123456')",
    ],
)
def test_what_is_secret_is_removed(text: str) -> None:
    redacted = Redactor([*SECRETS.values(), "sentinel/of-the-database"]).text(text)
    assert "sentinel" not in redacted and redacted != text


# Settings that sound like a secret, and are none.
NO_SECRETS = {
    "stripe_publishable_key",
    "sendgrid_webhook_key",
    "s3_access_key_id",
    "r2_access_key_id",
    "s3_kms_key_id",
    "strict_passwords",
}
_SOUNDS_SECRET = ("key", "secret", "password", "token", "dsn", "credential")
SECRET_SETTINGS = {
    name
    for name in Environment.model_fields
    if any(word in name for word in _SOUNDS_SECRET) and name not in NO_SECRETS
}


def test_the_secret_of_every_part_is_among_them() -> None:
    for part in ("stripe", "polar", "s3", "r2", "smtp", "resend", "sendgrid", "postmark", "gemini",
                 "openai", "replicate", "stability", "google", "github", "oidc", "sentry",
                 "metrics"):  # fmt: skip
        assert any(name.startswith(part) for name in SECRET_SETTINGS), part


@pytest.mark.parametrize("name", sorted(SECRET_SETTINGS))
def test_the_secret_of_every_setting_is_known(name: str) -> None:
    """However it looks, and whatever stands around it: as it is set, escaped, encoded."""
    value = f"plain/sentinel {name}+x"
    is_list = Environment.model_fields[name].annotation == list[str]
    environment = Environment.model_construct(**{name: [value] if is_list else value})
    redacted = redactor(environment)
    for spelling in (value, quote(value, safe="")):
        text = redacted.text(f"the vendor said {spelling} is wrong")
        assert text == "the vendor said [removed] is wrong"


def test_what_a_secret_consists_of_is_known_too() -> None:
    environment = Environment.model_construct(
        postmark_webhook_secret="hall:sentinel-of-postmark",
        sentry_dsn="https://sentinelofsentry@o1.ingest.example/7",
        stripe_webhook_secret=["whsec_sentinelone", "whsec_sentineltwo"],
        database_url="postgresql://hall:sentinel%2Fof-the-database@db/hall",
    )
    redacted = redactor(environment)
    for text in (
        "signed in with sentinel-of-postmark",
        f"sent {b64encode(b'hall:sentinel-of-postmark').decode()}",
        "POST https://sentinelofsentry:@x/",
        "signed with sentinelone or sentineltwo",
        "sentinel/of-the-database",
    ):
        assert "[removed]" in redacted.text(text) and "sentinel" not in redacted.text(text)
        assert b64encode(b"hall:sentinel").decode()[:12] not in redacted.text(text)


def test_what_is_not_stays() -> None:
    text = '{"order_id": "0190", "task": "settle_inbox", "key": "value", "author": "x"}'
    assert Redactor(["", "x"]).text(text) == text


def test_a_line_of_the_log_names_what_it_is_about_and_no_secret(lines: io.StringIO) -> None:
    log = structlog.get_logger("markethall.test")
    with structlog.contextvars.bound_contextvars(order_id="an-order"):
        try:
            raise ValueError(f"refused {SECRETS['google_client_secret']} of {EMAIL}")
        except ValueError:
            log.exception("a vendor refused", api_key="sentinel", url=SECRETS["database_url"])
    (line,) = lines.getvalue().splitlines()
    assert "sentinel" not in line
    document = json.loads(line)
    assert (document["order_id"], document["event"]) == ("an-order", "a vendor refused")
    assert "ValueError" in document["exception"]


@pytest.mark.django_db
def test_signing_in_and_failing_leaves_no_trace_of_a_person(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email=EMAIL, password=PASSWORD)
    api = ApiClient()
    answer = api.post("/api/auth/login", {"email": EMAIL, "password": PASSWORD})
    token = answer.json()["token"]
    api.post("/api/auth/login", {"email": EMAIL, "password": "sentinel wrong"})
    api.post("/api/webhooks/sandbox", {"sentinel": 1}, headers={"webhook-signature": "sentinel"})
    monkeypatch.setattr(
        "markethall.interfaces.api.credits.balance_of",
        lambda *_: (_ for _ in ()).throw(RuntimeError(f"{EMAIL} with token={token}")),
    )
    client = ApiClient(token)
    assert client.get("/api/credits/balance").status_code == 500
    Client().get("/reset-password/sentinel-of-a-link")
    text = lines.getvalue()
    assert "request failed" in text and "RuntimeError" in text
    assert "sentinel" not in text.lower() and token not in text


class _Sentry(BaseHTTPRequestHandler):
    """Takes envelopes, as Sentry does; it looks at nothing in them."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        zipped = self.headers.get("Content-Encoding") == "gzip"
        self.server.bodies.append(zlib.decompress(body, 31) if zipped else body)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


_FAULTY = """
import django, structlog
django.setup()
import sentry_sdk
from django.test import RequestFactory
from django.core.handlers.wsgi import WSGIHandler
structlog.contextvars.bind_contextvars(order_id="an-order")
structlog.get_logger("markethall").warning("told sentinel.person@example.com")
password = "sentinel of a variable"
try:
    raise RuntimeError("refused sentinel-of-google")
except RuntimeError:
    structlog.get_logger("markethall").exception("request failed", token="sentinel")
sentry_sdk.flush(5)
"""


def test_a_fault_reaches_sentry_without_secrets(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Sentry)
    server.bodies = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    environment = {
        "DJANGO_SETTINGS_MODULE": "markethall.config.settings",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "GOOGLE_CLIENT_ID": "hall",
        "GOOGLE_CLIENT_SECRET": "sentinel-of-google",
        "SENTRY_DSN": f"http://{DSN_KEY}@127.0.0.1:{server.server_port}/1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-c", _FAULTY], env=environment, cwd=tmp_path, capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    server.shutdown()
    report = b"".join(server.bodies).decode()  # type: ignore[attr-defined]
    assert "request failed" in report and "RuntimeError" in report and "an-order" in report
    assert "sentinel" not in report and "sentinel" not in done.stderr


_PARTS = st.sampled_from(
    [
        *'@ = : / _ . - \n \xa0 a ſ ı basic Bearer sk polar_oat password api-key to ken " '
        f"/track/ /files/ secret e.org abcdefgh 12345678 {REMOVED}".split(" "),
        " ",
    ]
)


@given(st.lists(_PARTS, max_size=14).map("".join))
def test_what_is_not_searched_holds_nothing(text: str) -> None:
    redacted = Redactor(["known to us"]).text(text)
    for _, pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    assert redacted == text
