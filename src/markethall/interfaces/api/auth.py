"""Signing up, in and out.

Login answers with a bearer token and starts a session cookie too. The cookie is not started for
a page of another origin, so that nobody can be signed in as somebody else without knowing.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Field, Query, Status
from pydantic import AfterValidator, AliasChoices

from markethall.foundation.accounts import actions, limits, sign_in
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.queries import is_verified
from markethall.interfaces.api.access import (
    anyone,
    person,
    public,
    same_origin,
    signed_in,
    token_of,
)
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import In, Out, Time, problems
from markethall.interfaces.web import visitors

routes = router("auth")


def _address(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValueError("This is not an e-mail address.") from error
    return value.lower()


Email = Annotated[
    str, AfterValidator(_address), Field(max_length=254, examples=["ada@example.com"])
]
Password = Annotated[str, Field(min_length=1, max_length=256)]
# Without control characters.
Line = Annotated[str, Field(max_length=150, pattern=r"^[^\x00-\x1f\x7f]*$")]
LinkToken = Annotated[str, Field(min_length=1, max_length=500)]


class UserOut(Out):
    """A person, as they see themselves."""

    id: str
    email: str
    name: str
    email_verified: bool
    role: str
    phone: str
    created_at: Time

    @classmethod
    def of(cls, user: User, *, verified: bool | None = None) -> UserOut:
        return cls(
            id=str(user.pk),
            email=user.email,
            name=user.name,
            email_verified=is_verified(user) if verified is None else verified,
            role=user.role,
            phone=user.phone,
            created_at=user.created_at,
        )


class UserEnvelope(Out):
    user: UserOut


class SignedInOut(Out):
    """``token`` goes into ``Authorization: Bearer …`` and is good until ``expiresAt``."""

    user: UserOut
    token: str
    expires_at: Time


class SessionOut(Out):
    user: UserOut | None
    expires_at: Time | None


class DoneOut(Out):
    status: str


class RegisterIn(In):
    email: Email
    password: Password = Field(description="At least 8 characters.")
    name: Line = ""


class LoginIn(In):
    email: Annotated[str, Field(max_length=254)]
    password: Password
    code: str | None = Field(
        None, max_length=32, description="Of the authenticator app, or a recovery code."
    )


class EmailIn(In):
    email: Email


class ResetIn(In):
    token: LinkToken
    password: Password


class VerifyIn(In):
    token: LinkToken = Field(validation_alias=AliasChoices("token", "key"))


class ProfileIn(In):
    name: Line | None = None
    phone: Annotated[str, Field(max_length=32, pattern=r"^[0-9 ()+./-]*$")] | None = None


@routes.post("/register", auth=anyone, response={201: UserEnvelope, **problems(400, 403, 422, 429)})
@routes.post("/signup", auth=anyone, response={201: UserEnvelope}, include_in_schema=False)
def register(request: HttpRequest, body: RegisterIn) -> Any:
    """Open an account. A mail with a link follows, which verifies the address; an address that
    has an account already gets another mail, and the answer is the same."""
    user = actions.register(email=body.email, password=body.password, name=body.name)
    return Status(201, {"user": UserOut.of(user, verified=False)})


@routes.post(
    "/login", auth=anyone, response={200: SignedInOut, **problems(400, 401, 403, 422, 429)}
)
@routes.post("/signin", auth=anyone, response={200: SignedInOut}, include_in_schema=False)
def login(request: HttpRequest, body: LoginIn) -> Any:
    """Sign in by password. 401 `second_factor_required` asks for `code` as well."""
    user = sign_in.sign_in(email=body.email, password=body.password, code=body.code)
    token, secret = sign_in.start_token(user)
    if same_origin(request):
        sign_in.start_session(request, user, token)
        get_token(request)
    else:
        visitors.signed_in(request, user)
    return {
        "user": UserOut.of(user, verified=True),
        "token": secret,
        "expires_at": token.expires_at,
    }


@routes.post("/logout", auth=public, response={200: SessionOut, **problems(401, 403, 429)})
@routes.post("/signout", auth=public, response={200: SessionOut}, include_in_schema=False)
def logout(request: HttpRequest) -> Any:
    """End this session and its token. An API key is not ended by it."""
    limits.count_by_address("session")
    sign_in.sign_out(request, token_of(request))
    return {"user": None, "expires_at": None}


@routes.post("/forgot-password", auth=anyone, response={200: DoneOut, **problems(400, 422, 429)})
def forgot_password(request: HttpRequest, body: EmailIn) -> Any:
    """Mail a link to set a new password. The answer is the same for every address."""
    actions.request_password_reset(email=body.email)
    return {"status": "sent"}


@routes.post("/reset-password", auth=anyone, response={200: DoneOut, **problems(400, 422, 429)})
def reset_password(request: HttpRequest, body: ResetIn) -> Any:
    """Set a new password by the mailed token. Every session, token and API key ends."""
    actions.reset_password(token=body.token, password=body.password)
    return {"status": "reset"}


@routes.post("/verify-email", auth=anyone, response={200: DoneOut, **problems(400, 422, 429)})
def verify_email(request: HttpRequest, body: VerifyIn) -> Any:
    """Verify an address by the mailed token. Signs nobody in."""
    actions.verify_email(key=body.token)
    return {"status": "verified"}


@routes.get("/verify-email", auth=anyone, response={200: DoneOut, **problems(422, 429)})
def verify_email_by_link(request: HttpRequest, token: Query[LinkToken]) -> Any:
    """Verify an address by the mailed token. Signs nobody in."""
    actions.verify_email(key=token)
    return {"status": "verified"}


@routes.post(
    "/resend-verification", auth=anyone, response={200: DoneOut, **problems(400, 422, 429)}
)
def resend_verification(request: HttpRequest, body: EmailIn) -> Any:
    """Mail the verification link again. The answer is the same for every address."""
    actions.request_verification(email=body.email)
    return {"status": "sent"}


@routes.get("/me", auth=signed_in, response={200: UserEnvelope, **problems(401, 429)})
def me(request: HttpRequest) -> Any:
    """The caller."""
    limits.count_by_address("session")
    return {"user": UserOut.of(person(request))}


@routes.get("/session", auth=public, response={200: SessionOut, **problems(401, 429)})
def session(request: HttpRequest) -> Any:
    """Who is signed in, if anyone, and until when. Sets the `csrftoken` cookie, whose value
    changes by session cookie send back as `X-CSRFToken`."""
    limits.count_by_address("session")
    get_token(request)
    if not request.user.is_authenticated:
        return {"user": None, "expires_at": None}
    token = token_of(request)
    expires_at = token.expires_at if token else request.session.get_expiry_date()
    return {"user": UserOut.of(person(request)), "expires_at": expires_at}


@routes.put(
    "/profile", auth=signed_in, response={200: UserEnvelope, **problems(400, 401, 403, 422, 429)}
)
def profile(request: HttpRequest, body: ProfileIn) -> Any:
    """Change one's name or phone number; what is left out stays."""
    limits.count_by_address("session")
    user = actions.update_profile(user=person(request), name=body.name, phone=body.phone)
    return {"user": UserOut.of(user)}
