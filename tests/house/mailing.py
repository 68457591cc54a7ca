"""A vendor's API at this machine, for anymail's own backends to talk to.

It answers what a test says and keeps what it is sent. It knows no accounts, delivers no mail and
sends no webhooks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from house.serving import Handler, Server

SHAPES = Path(__file__).resolve().parent.parent / "foundation" / "mail_shapes"
BACKENDS = {
    "resend": "markethall.foundation.messaging.vendors.resend_backend.EmailBackend",
    "sendgrid": "anymail.backends.sendgrid.EmailBackend",
    "postmark": "anymail.backends.postmark.EmailBackend",
}
TAKEN: dict[str, tuple[int, Any]] = {
    "resend": (200, {"id": "re_1"}),
    "sendgrid": (202, None),
    "postmark": (200, {"ErrorCode": 0, "Message": "OK", "MessageID": "pm_1", "To": ""}),
}


def check_shape(name: str, document: Any) -> None:
    """Raises unless ``document`` is what the vendor publishes under ``name``."""
    shape = json.loads((SHAPES / f"{name}.json").read_text())
    jsonschema_rs.validator_for(shape).validate(document)


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class VendorServer:
    """``answers`` are (status, document, headers), used up one a call; then ``TAKEN`` again."""

    name: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)

    def will(self, status: int, document: Any = None, **headers: str) -> None:
        """Answer the next call so."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, document, named))

    def answer(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        self.calls.append(call)
        if self.answers:
            return self.answers.pop(0)
        status, document = TAKEN[self.name]
        if self.name == "postmark" and isinstance(call.body, dict):
            document = {**document, "To": call.body.get("To", "")}
        return status, document, {}


@pytest.fixture
def vendor(request: pytest.FixtureRequest, settings: Any) -> Iterator[VendorServer]:
    """The vendor that the test's parameter names, with the hall set to send by it."""
    server = VendorServer(request.param)

    class VendorHandler(Handler):
        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(
                self.command, self.path, dict(self.headers), json.loads(raw) if raw else None
            )
            status, document, headers = server.answer(call)
            payload = b"" if document is None else json.dumps(document).encode()
            if status == 0:  # hang up without a word
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = _serve

    http = Server(VendorHandler)
    server.url = f"{http.url}/"
    send_by(settings, server.name)
    settings.ANYMAIL = {
        **settings.ANYMAIL,
        f"{server.name.upper()}_API_URL": server.url,
        "RESEND_API_KEY": "re_key",
        "SENDGRID_API_KEY": "SG.key",
        "POSTMARK_SERVER_TOKEN": "pm-token",
    }
    yield server
    http.close()


def send_by(settings: Any, name: str, **changes: Any) -> None:
    """Set the hall to send by ``name``."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"mail_backend": name, **changes})
    settings.EMAIL_BACKEND = BACKENDS.get(name, f"django.core.mail.backends.{name}.EmailBackend")
