"""One's own account."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Status

from markethall.flows.entitlements import entitlements_of
from markethall.flows.erasure import erase_own_account
from markethall.flows.export import export_of
from markethall.foundation.accounts import belongings
from markethall.foundation.accounts.actions import update_profile
from markethall.foundation.accounts.limits import count_by_account
from markethall.foundation.accounts.models import Address, User
from markethall.foundation.ledger.queries import balance_of
from markethall.interfaces.api.access import signed_in, token_of
from markethall.interfaces.api.auth import Line, ProfileIn, UserOut
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import In, Listing, Out, Time, as_items, problems

routes = router("user")

Style = Literal["cute-fluffy", "realistic-plush", "cartoon-style", "minimalist"]
Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["DE"])]
_Bad = (400, 401, 403, 413, 422)


class SettingsOut(Out):
    default_style: Style
    email_notifications: bool
    marketing_emails: bool


class SettingsIn(In):
    """What is left out stays."""

    default_style: Style | None = None
    email_notifications: bool | None = None
    marketing_emails: bool | None = None


class AddressIn(In):
    kind: Literal["billing", "shipping"]
    name: Annotated[str, Field(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f]+$")]
    company: Line = ""
    line1: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    line2: Text = ""
    city: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    region: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    postal_code: Annotated[str, Field(max_length=20, pattern=r"^[A-Za-z0-9 -]*$")] = ""
    country: Country
    phone: Annotated[str, Field(max_length=32, pattern=r"^[0-9 ()+./-]*$")] = ""
    is_default: bool = False


class AddressOut(Out):
    """``country`` is ISO 3166-1 alpha-2. Each kind has one default address."""

    id: UUID
    kind: Literal["billing", "shipping"]
    name: str
    company: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str
    is_default: bool


class EntitlementOut(Out):
    """``left`` is how often it can be done now; ``reason`` says why not, when it cannot."""

    feature: Literal["plush_picture"]
    allowed: bool
    left: int
    cost: int = Field(description="Credits each.")
    reason: Literal["", "insufficient_credits", "generations_closed"]


class EntitlementsOut(Out):
    balance: int
    held: int
    items: list[EntitlementOut]


class ApiKeyOut(Out):
    """``hint`` is how the key begins."""

    id: UUID
    name: str
    hint: str
    created_at: Time
    last_used_at: Time | None


class NewApiKeyOut(ApiKeyOut):
    """``key`` is shown this once; send it as ``Authorization: Bearer …``."""

    key: str = Field(examples=["mh_live_…"])


class ApiKeyIn(In):
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class EraseIn(In):
    """The password, unless the account has none: then a sign-in within ten minutes counts."""

    password: str = Field("", max_length=256)


class AccountErasedOut(Out):
    status: Literal["erased"]


class ExportOut(Out):
    """Everything kept about a person; files as links that work for an hour."""

    exported_at: Time
    profile: dict[str, Any]
    settings: dict[str, Any]
    addresses: list[dict[str, Any]]
    api_keys: list[dict[str, Any]]
    sign_in_providers: list[dict[str, Any]]
    credits: dict[str, Any]
    cart: list[dict[str, Any]]
    vouchers: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    payments: list[dict[str, Any]]
    pictures: list[dict[str, Any]]
    files: list[dict[str, Any]]
    reviews: list[dict[str, Any]]
    bespoke: list[dict[str, Any]]
    wishlist: list[dict[str, Any]]
    viewed: list[dict[str, Any]]
    mails: list[dict[str, Any]]
    acts: list[dict[str, Any]]


@routes.get("/profile", auth=signed_in, response={200: UserOut, **problems(401)})
def get_profile(request: HttpRequest) -> Any:
    """The caller's profile."""
    return UserOut.of(_user(request))


@routes.patch("/profile", auth=signed_in, response={200: UserOut, **problems(*_Bad)})
@routes.put("/profile", auth=signed_in, response={200: UserOut}, include_in_schema=False)
def patch_profile(request: HttpRequest, body: ProfileIn) -> Any:
    """Change one's name or phone number; what is left out stays."""
    return UserOut.of(update_profile(user=_user(request), name=body.name, phone=body.phone))


@routes.get("/settings", auth=signed_in, response={200: SettingsOut, **problems(401)})
def get_settings(request: HttpRequest) -> Any:
    """The caller's settings."""
    return belongings.settings_of(_user(request).pk)


@routes.patch("/settings", auth=signed_in, response={200: SettingsOut, **problems(*_Bad)})
def patch_settings(request: HttpRequest, body: SettingsIn) -> Any:
    """Change settings; what is left out stays."""
    return belongings.change_settings(user=_user(request), **body.model_dump(exclude_none=True))


@routes.delete(
    "/account",
    auth=signed_in,
    response={200: AccountErasedOut, **problems(*_Bad, 409, 429)},
)
def delete_account(request: HttpRequest, body: EraseIn) -> Any:
    """Erase the account: personal data, pictures and files go, credits that are left are lost.
    Orders and bookings stay without a name, as the law wants."""
    user = _user(request)
    erase_own_account(user=user, password=body.password, token=token_of(request))
    request.session.flush()
    return {"status": "erased"}


@routes.get("/addresses", auth=signed_in, response={200: Listing[AddressOut], **problems(401)})
def get_addresses(request: HttpRequest) -> Any:
    """The caller's addresses, the newest first."""
    return as_items(list(Address.objects.filter(user=_user(request)).order_by("-pk")))


@routes.post("/addresses", auth=signed_in, response={201: AddressOut, **problems(*_Bad, 409)})
def post_address(request: HttpRequest, body: AddressIn) -> Any:
    """Keep an address. The first of its kind becomes the default."""
    return Status(201, belongings.add_address(user=_user(request), **body.model_dump()))


@routes.put(
    "/addresses/{uuid:address_id}",
    auth=signed_in,
    response={200: AddressOut, **problems(*_Bad, 404)},
)
def put_address(request: HttpRequest, address_id: UUID, body: AddressIn) -> Any:
    """Replace an address."""
    user = _user(request)
    return belongings.change_address(user=user, address_id=address_id, **body.model_dump())


@routes.delete(
    "/addresses/{uuid:address_id}",
    auth=signed_in,
    response={204: None, **problems(401, 403, 404)},
)
def delete_address(request: HttpRequest, address_id: UUID) -> Any:
    """Forget an address."""
    belongings.remove_address(user=_user(request), address_id=address_id)
    return Status(204, None)


@routes.get("/entitlements", auth=signed_in, response={200: EntitlementsOut, **problems(401)})
def get_entitlements(request: HttpRequest) -> Any:
    """What the caller may do, how often, and why not."""
    user_id = _user(request).pk
    found = balance_of(user_id)
    return {"balance": found.balance, "held": found.held, "items": entitlements_of(user_id)}


@routes.get("/export", auth=signed_in, response={200: ExportOut, **problems(401, 429)})
def get_export(request: HttpRequest, response: HttpResponse) -> Any:
    """Everything kept about the caller, as one JSON document. Ten times an hour."""
    user = _user(request)
    count_by_account("export", user.pk)
    response.headers["Content-Disposition"] = 'attachment; filename="markethall-export.json"'
    response.headers["Cache-Control"] = "no-store"
    return ExportOut.model_validate(export_of(user))


@routes.get("/api-keys", auth=signed_in, response={200: Listing[ApiKeyOut], **problems(401)})
def get_api_keys(request: HttpRequest) -> Any:
    """The caller's API keys."""
    return as_items(list(belongings.api_keys(_user(request))))


@routes.post("/api-keys", auth=signed_in, response={201: NewApiKeyOut, **problems(*_Bad, 409)})
def post_api_key(request: HttpRequest, body: ApiKeyIn) -> Any:
    """Make an API key. It acts as its owner until it is revoked or the password changes."""
    token, secret = belongings.make_api_key(user=_user(request), name=body.name)
    shown = ApiKeyOut.model_validate(token, from_attributes=True).model_dump()
    return Status(201, NewApiKeyOut(**shown, key=secret))


@routes.delete(
    "/api-keys/{uuid:key_id}", auth=signed_in, response={204: None, **problems(401, 403, 404)}
)
def delete_api_key(request: HttpRequest, key_id: UUID) -> Any:
    """Revoke an API key at once."""
    belongings.revoke_api_key(user=_user(request), key_id=key_id)
    return Status(204, None)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
