"""People for tests, and clients that act for them."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client

from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.accounts.tokens import issue_token
from markethall.foundation.ledger.actions import grant_credits

PASSWORD = "a-long-enough-secret"


def make_user(
    *,
    email: str = "",
    name: str = "Ada",
    role: str = Role.CUSTOMER,
    verified: bool = True,
    credits: int = 10,
    password: str = PASSWORD,
) -> User:
    """Somebody with an account, without the mails of a sign-up."""
    email = email or f"{role}-{uuid.uuid4().hex[:12]}@example.com"
    user = User.objects.create_user(email, password, name=name, role=role)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    if credits:
        grant_credits(user_id=user.pk, amount=credits, kind="bonus", key=f"test:{user.pk}")
    return user


class ApiClient(Client):
    """Sends and expects JSON, with a bearer token when it has one."""

    def __init__(self, token: str = "", **defaults: Any) -> None:
        super().__init__(**defaults)
        self.token = token

    def generic(self, method: str, path: str, *args: Any, **extra: Any) -> Any:
        headers = dict(extra.pop("headers", None) or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return super().generic(method, path, *args, headers=headers, **extra)

    def post(self, path: str, data: Any = None, **extra: Any) -> Any:
        extra.setdefault("content_type", "application/json")
        return super().post(path, {} if data is None else data, **extra)

    def upload(self, path: str, **files: Any) -> Any:
        """A multipart POST of files and fields."""
        return super().post(path, files)

    def put(self, path: str, data: Any = None, **extra: Any) -> Any:
        extra.setdefault("content_type", "application/json")
        return super().put(path, {} if data is None else data, **extra)

    def patch(self, path: str, data: Any = None, **extra: Any) -> Any:
        extra.setdefault("content_type", "application/json")
        return super().patch(path, {} if data is None else data, **extra)

    def delete(self, path: str, data: Any = None, **extra: Any) -> Any:
        extra.setdefault("content_type", "application/json")
        return super().delete(path, {} if data is None else data, **extra)


def client_for(user: User, **defaults: Any) -> ApiClient:
    """An API client with a bearer token of ``user``."""
    return ApiClient(issue_token(user, Token.Kind.SESSION)[1], **defaults)


def page_client(user: User, **defaults: Any) -> Client:
    """A browser in which ``user`` is signed in."""
    client = Client(**defaults)
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client
