"""Password, second factor, and sign-in by a provider."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponseRedirect
from ninja import Field, Status
from requests import RequestException

from markethall.foundation.accounts import actions, by_provider, limits, second_factor, sign_in
from markethall.foundation.accounts.models import Token
from markethall.interfaces.api.access import (
    anyone,
    person,
    same_origin,
    signed_in,
    token_of,
)
from markethall.interfaces.api.auth import Password, SignedInOut, UserOut
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import In, Listing, Out, Time, as_items, problems
from markethall.interfaces.web.accounts import oauth
from markethall.interfaces.web.accounts.scene import own_path, providers
from markethall.kernel.errors import Forbidden, NotFound, Problem

routes = router("auth")


class ProviderUnreachable(Problem):
    status, code, title = 502, "provider_unreachable", "The provider does not answer"


class ChangePasswordIn(In):
    current_password: Password
    new_password: Password = Field(description="At least 8 characters.")


class PasswordIn(In):
    password: Password


class SecondFactorOut(Out):
    enabled: bool
    recovery_codes_left: int


class SetupOut(Out):
    """``secret`` and ``otpauthUrl`` are for the app; ``setupToken`` goes with the first code."""

    secret: str
    otpauth_url: str
    setup_token: str


class SecondFactorConfirmIn(In):
    setup_token: str = Field(max_length=500)
    code: str = Field(max_length=32, examples=["123456"])


class RecoveryCodesOut(Out):
    """Each signs in once in place of the app. They are not shown again."""

    recovery_codes: list[str]


class SignInProviderOut(Out):
    id: str
    name: str


class StartIn(In):
    next: str = Field("", max_length=500, description="A path of this site to come back to.")


class IdentityIn(In):
    """The password, unless the account has none: then a sign-in within ten minutes counts."""

    password: str = Field("", max_length=256)


class LinkIn(IdentityIn, StartIn):
    pass


class LinkOut(Out):
    """``label`` is what the account is called at the provider."""

    id: int
    provider: str
    name: str
    label: str
    linked_at: Time

    @classmethod
    def of(cls, link: by_provider.Link) -> LinkOut:
        return cls(**asdict(link))


class StartOut(Out):
    """Send the browser to ``url``."""

    url: str


@routes.post(
    "/change-password",
    auth=signed_in,
    response={200: SignedInOut, **problems(400, 401, 403, 422, 429)},
)
def change_password(request: HttpRequest, body: ChangePasswordIn) -> Any:
    """Replace the password. Other sessions, all tokens and API keys end; the answer has a new
    token."""
    user = actions.change_password(
        user=person(request), present=body.current_password, password=body.new_password
    )
    if token_of(request) is None:
        update_session_auth_hash(request, user)
    token, secret = sign_in.start_token(user)
    return {"user": UserOut.of(user), "token": secret, "expires_at": token.expires_at}


@routes.get("/second-factor", auth=signed_in, response={200: SecondFactorOut, **problems(401, 429)})
def second_factor_state(request: HttpRequest) -> Any:
    """Whether signing in takes a code, and how many recovery codes are left."""
    limits.count_by_address("session")
    user = person(request)
    return {
        "enabled": second_factor.is_on(user),
        "recovery_codes_left": second_factor.unused_recovery_codes(user),
    }


@routes.post(
    "/second-factor", auth=signed_in, response={201: SetupOut, **problems(401, 403, 409, 429)}
)
def begin_second_factor(request: HttpRequest) -> Any:
    """A new secret for an authenticator app. Nothing is on until its first code is confirmed."""
    limits.count_by_address("session")
    token = token_of(request)
    if token and token.kind == Token.Kind.API_KEY:
        raise Forbidden("An API key cannot change how its owner signs in.")
    setup = second_factor.begin(user=person(request))
    return Status(
        201, {"secret": setup.secret, "otpauth_url": setup.url, "setup_token": setup.token}
    )


@routes.post(
    "/second-factor/confirm",
    auth=signed_in,
    response={200: RecoveryCodesOut, **problems(400, 401, 403, 409, 422, 429)},
)
def confirm_second_factor(request: HttpRequest, body: SecondFactorConfirmIn) -> Any:
    """Turn the second factor on with a first code."""
    codes = second_factor.confirm(user=person(request), token=body.setup_token, code=body.code)
    return {"recovery_codes": codes}


@routes.delete(
    "/second-factor",
    auth=signed_in,
    response={204: None, **problems(400, 401, 403, 409, 422, 429)},
)
def turn_off_second_factor(request: HttpRequest, body: PasswordIn) -> Any:
    """Sign in by password alone from now on."""
    second_factor.turn_off(user=person(request), password=body.password)
    return Status(204, None)


@routes.post(
    "/second-factor/recovery-codes",
    auth=signed_in,
    response={200: RecoveryCodesOut, **problems(400, 401, 403, 409, 422, 429)},
)
def renew_recovery_codes(request: HttpRequest, body: PasswordIn) -> Any:
    """New recovery codes in place of all old ones."""
    codes = second_factor.renew_recovery_codes(user=person(request), password=body.password)
    return {"recovery_codes": codes}


@routes.get("/oauth", auth=anyone, response={200: Listing[SignInProviderOut], **problems(429)})
def oauth_providers(request: HttpRequest) -> Any:
    """The providers that are set up."""
    limits.count_by_address("session")
    return as_items([{"id": each["id"], "name": each["name"]} for each in providers(request)])


@routes.post(
    "/oauth/{provider}/start",
    auth=anyone,
    response={200: StartOut, **problems(400, 403, 404, 422, 429, 502)},
)
def oauth_start(request: HttpRequest, provider: str, body: StartIn) -> Any:
    """Begin a sign-in by a provider. The session cookie remembers what was asked, so call it
    from the browser that goes to the address."""
    limits.count_by_address("oauth")
    if not same_origin(request):
        raise Forbidden("A sign-in starts on a page of this site.")
    return _start(request, provider, body.next, AuthProcess.LOGIN)


@routes.post(
    "/oauth/{provider}/link",
    auth=signed_in,
    response={200: StartOut, **problems(400, 401, 403, 404, 422, 429, 502)},
)
def oauth_link(request: HttpRequest, provider: str, body: LinkIn) -> Any:
    """Begin to link an account at a provider, with the password of who has one. For a browser
    that is signed in by its cookie: the provider sends it back here."""
    limits.count_by_address("oauth")
    if token_of(request):
        raise Forbidden("Link it from a browser that is signed in by its cookie.")
    sign_in.confirm_identity(user=person(request), password=body.password)
    return _start(request, provider, body.next, AuthProcess.CONNECT)


@routes.get("/links", auth=signed_in, response={200: Listing[LinkOut], **problems(401)})
def links(request: HttpRequest) -> Any:
    """The accounts at providers that sign the caller in."""
    return as_items([LinkOut.of(link) for link in by_provider.links_of(person(request))])


@routes.delete(
    "/links/{int:link_id}",
    auth=signed_in,
    response={204: None, **problems(400, 401, 403, 404, 409, 422, 429)},
)
def unlink(request: HttpRequest, link_id: int, body: IdentityIn) -> Any:
    """Unlink an account at a provider, with the password of who has one."""
    user = person(request)
    sign_in.confirm_identity(user=user, password=body.password, token=token_of(request))
    by_provider.unlink(user=user, link_id=link_id)
    return Status(204, None)


@routes.get("/oauth/{provider}/callback", auth=anyone, response={302: None, **problems(404, 429)})
def oauth_callback(request: HttpRequest, provider: str) -> Any:
    """Where a provider may send the browser back to; leads on to the page that completes it."""
    limits.count_by_address("oauth")
    if provider not in {each["id"] for each in providers(request)}:
        raise NotFound("Sign-in by this provider is not set up.")
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(f"/oauth/{provider}/callback?{query}")


def _start(request: HttpRequest, provider: str, next_url: str, process: str) -> dict[str, str]:
    try:
        url = oauth.start_url(request, provider, own_path(next_url), process=process)
    except RequestException as error:
        raise ProviderUnreachable from error
    return {"url": url}
