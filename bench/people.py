"""People for the benchmark, made in this process on the hall's database."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from bench.hall import FOLDER, Hall, free_port
from bench.load import request

CREDITS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a bearer token, and a session for pages."""

    id: uuid.UUID
    email: str
    token: str
    session: str

    def get(self, path: str, *, port: int, **headers: str) -> bytes:
        """An API request as bytes."""
        return request("GET", path, port=port, headers=self._bearer(headers))

    def post(self, path: str, document: Any, *, port: int, **headers: str) -> bytes:
        more = {"Content-Type": "application/json", **self._bearer(headers)}
        body = json.dumps(document).encode()
        return request("POST", path, port=port, headers=more, body=body)

    def page(self, path: str, *, port: int) -> bytes:
        """A browser's request as bytes."""
        from django.conf import settings

        cookie = f"{settings.SESSION_COOKIE_NAME}={self.session}"
        return request("GET", path, port=port, headers={"Cookie": cookie, "Accept": "text/html"})

    def _bearer(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {"Authorization": f"Bearer {self.token}", **named}


@contextmanager
def open_hall(**settings: str) -> Iterator[Hall]:
    """The benchmark's hall, started, and Django in this process on the same database."""
    hall = Hall(FOLDER / "hall", port=_port(), **settings)
    hall.start()
    try:
        _prepare(hall)
        yield hall
    finally:
        if "django.db" in sys.modules:
            sys.modules["django.db"].connections.close_all()
        hall.stop()


@cache
def _port() -> int:
    """One port for all halls of a run: this process's settings name it too."""
    return free_port()


def _prepare(hall: Hall) -> None:
    os.environ["DATA_DIR"] = str(hall.folder)
    os.environ["SITE_URL"] = f"http://127.0.0.1:{hall.port}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "markethall.config.settings"
    import django

    django.setup()
    from markethall.foundation.ledger import accounts

    accounts.forget_known()


def make(count: int, *, role: str = "customer") -> list[Person]:
    """``count`` new people with verified addresses and more credits than they can spend."""
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password

    from markethall.foundation.accounts.models import Token, User
    from markethall.foundation.accounts.tokens import issue_token
    from markethall.foundation.ledger.actions import grant_credits

    password = make_password("a benchmark's password")
    people = []
    for _ in range(count):
        user = User(email=f"bench-{uuid.uuid4().hex}@example.com", name="Bench", role=role)
        user.password = password
        user.save()
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        grant_credits(user_id=user.pk, amount=CREDITS, kind="bonus", key=f"bench:{user.pk}")
        secret = issue_token(user, Token.Kind.SESSION)[1]
        people.append(Person(user.pk, user.email, secret, _session(user)))
    return people


def notify(person: Person) -> None:
    """Tell the person's open pages that something changed."""
    from django.db import connection

    from markethall.kernel.live import notify as tell

    tell("benchmark", kind="changed", user_id=person.id)
    connection.close()


def client(person: Person) -> Any:
    """Django's own test client with the person's token: the application in this process."""
    from django.test import Client

    return Client(headers={"Authorization": f"Bearer {person.token}"})


def _session(user: Any) -> str:
    from django.conf import settings
    from django.test import Client

    browser = Client()
    browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)
