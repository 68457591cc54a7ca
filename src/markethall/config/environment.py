"""Every setting an operator can make, typed and checked at start.

All faults are told at once, each with its mend. Values come from the process environment, then
from a ``.env`` file.
"""

from __future__ import annotations

import json
import os
import secrets
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from markethall.config.image_settings import ImageSettings
from markethall.config.seller import SellerSettings
from markethall.config.storage import STORAGE_PAIRS, StorageSettings, storage_faults

SANDBOX_PARTS = {
    "payment_gateway": ("sandbox", "Set PAYMENT_GATEWAY to a real gateway."),
    "mail_backend": ("outbox", "Set MAIL_BACKEND to resend, sendgrid, postmark or smtp."),
}
_OPENS: ContextVar[bool] = ContextVar("opens", default=True)


class FaultyEnvironment(SystemExit):
    """The settings cannot be used; the message lists every fault with its mend."""

    def __init__(self, faults: list[str]) -> None:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"Markethall cannot start with these settings:\n{lines}")
        self.faults = faults


class Environment(ImageSettings, SellerSettings, StorageSettings):
    """The settings, with the defaults of the sandbox."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    markethall_env: Literal["sandbox", "production"] = Field(
        "sandbox", description="`production` refuses to start with sandbox parts or defaults."
    )
    allow_sandbox_parts: bool = Field(
        False, description="Let production start with sandbox parts: for rehearsals only."
    )
    data_dir: Path = Field(
        Path("data"), description="Embedded database, files, and the sandbox's own secrets."
    )
    database_url: str | None = Field(
        None,
        pattern=r"^postgres(ql)?://",
        description="A PostgreSQL of yours (16 or newer); without it the embedded one is used.",
    )
    secret_key: str | None = Field(
        None, min_length=32, description="Signs sessions and links. `openssl rand -base64 48`."
    )
    debug: bool = Field(False, description="Django's debug pages. Never in production.")
    site_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/]+$",
        description="The address that customers use, without a path.",
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        [], description="Host names served, comma-separated; SITE_URL's own when empty."
    )
    storefront_hosts: Annotated[
        dict[str, Literal["plushify", "mybeing", "elysium", "market"]], NoDecode
    ] = Field(
        {},
        description="Host names whose API calls are for one storefront, comma-separated:"
        " `plushify.example=plushify`. They are served beside ALLOWED_HOSTS.",
    )
    admin_emails: Annotated[list[str], NoDecode] = Field(
        [],
        description="Become admin once they have verified their address; the first, super admin.",
    )
    web_processes: int = Field(2, ge=1, le=64, description="Processes that serve the port.")
    web_threads: int = Field(
        4, ge=1, le=64, description="Threads, and so database connections, of each process."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="How many proxies in front of us append to X-Forwarded-For."
    )
    keep_mails_days: int = Field(
        365, ge=30, le=3660, description="How long mails stay in the log, in days."
    )
    keep_webhooks_days: int = Field(
        180, ge=60, le=3660, description="How long webhooks that are done with stay, in days."
    )
    keep_carts_days: int = Field(
        90,
        ge=1,
        le=3660,
        description="How long carts and wishes that visitors have left stay, in days.",
    )
    reservation_minutes: int = Field(
        30, ge=1, le=1440, description="How long a checkout keeps its pieces in stock, in minutes."
    )
    auth_limit_factor: int | None = Field(
        None, ge=1, le=1000, description="Multiplies what one network address may try of sign-ins."
    )
    strict_passwords: bool | None = Field(
        None,
        description="Also refuse common passwords and ones like the address; on in production.",
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        [],
        description="Front ends of other origins that may call the API, comma-separated."
        " The sandbox lets localhost in on every port.",
    )

    payment_gateway: Literal["sandbox", "stripe", "polar"] = Field(
        "sandbox", description="Who takes the money. The sandbox takes none."
    )
    stripe_secret_key: str | None = Field(
        None,
        pattern=r"^(sk|rk)_(test|live)_\S+$",
        description="Stripe: the secret or restricted key.",
    )
    stripe_publishable_key: str | None = Field(
        None, pattern=r"^pk_(test|live)_\S+$", description="Stripe: for front ends; no secret."
    )
    stripe_webhook_secret: Annotated[list[str], NoDecode] = Field(
        [],
        description="Stripe: the signing secret of the webhook endpoint. Two, comma-separated,"
        " while one replaces the other.",
    )
    stripe_api_base: str = Field(
        "https://api.stripe.com", pattern=r"^https?://", description="Stripe: where its API is."
    )
    stripe_statement_descriptor: str | None = Field(
        None,
        min_length=2,
        max_length=22,
        pattern=r"^[A-Za-z0-9 .&+-]*[A-Za-z][A-Za-z0-9 .&+-]*$",
        description="Stripe: what card statements show after the account's own prefix.",
    )
    polar_access_token: str | None = Field(
        None, min_length=8, description="Polar: an organization access token."
    )
    polar_webhook_secret: str | None = Field(
        None, min_length=8, description="Polar: the webhook endpoint's secret, as it is shown."
    )
    polar_api_base: str = Field(
        "https://api.polar.sh",
        pattern=r"^https?://",
        description="Polar: where its API is; `https://sandbox-api.polar.sh` for its sandbox.",
    )
    polar_organization_id: str | None = Field(
        None, description="Polar: the organization, for a token that can reach several."
    )
    polar_product_id: str | None = Field(
        None, description="Polar: the product to sell as; `markethall setup-polar` makes one."
    )
    sandbox_webhook_secret: str | None = Field(
        None, min_length=8, description="Signs the sandbox gateway's webhooks; made when missing."
    )

    clamav_address: str | None = Field(
        None,
        pattern=r"^(unix:/.+|tcp://.+:\d+)$",
        description="A ClamAV daemon that scans uploads: `unix:/path` or `tcp://host:port`.",
    )
    clamav_timeout: float = Field(
        20, ge=1, le=120, description="Seconds that each step of a scan may take."
    )

    mail_backend: Literal["outbox", "console", "smtp", "resend", "sendgrid", "postmark"] = Field(
        "outbox", description="Where mails go: kept at /dev/outbox, printed, or sent."
    )
    mail_from: str = Field(
        "Markethall <hello@markethall.test>",
        pattern=r"^([^<>\x00-\x1f]*<[^@\s<>]+@[^@\s<>]+>|[^@\s<>]+@[^@\s<>]+)$",
        description="The sender of every mail, as `Name <address>`; storefronts use their names.",
    )
    smtp_host: str | None = Field(None, description="The mail server, for MAIL_BACKEND=smtp.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_user: str | None = Field(None, description="Its user, if it asks for one.")
    smtp_password: str | None = Field(None, description="And password.")
    smtp_tls: bool = Field(True, description="STARTTLS.")
    smtp_ssl: bool = Field(
        False, description="TLS from the first byte (port 465), in place of STARTTLS."
    )
    resend_api_key: str | None = Field(None, description="For MAIL_BACKEND=resend.")
    resend_api_url: str = Field(
        "https://api.resend.com/", pattern=r"^https?://", description="Resend's API."
    )
    resend_webhook_secret: str | None = Field(
        None, pattern=r"^whsec_", description="Signs `POST /api/webhooks/resend`: whsec_…"
    )
    sendgrid_api_key: str | None = Field(None, description="For MAIL_BACKEND=sendgrid.")
    sendgrid_api_url: str = Field(
        "https://api.sendgrid.com/v3/", pattern=r"^https?://", description="SendGrid's API."
    )
    sendgrid_webhook_key: str | None = Field(
        None,
        min_length=80,
        description="The public key of SendGrid's signed event webhook, base64 without its frame.",
    )
    postmark_server_token: str | None = Field(None, description="For MAIL_BACKEND=postmark.")
    postmark_api_url: str = Field(
        "https://api.postmarkapp.com/", pattern=r"^https?://", description="Postmark's API."
    )
    postmark_message_stream: str = Field(
        "outbound", description="The stream of Postmark that mails go out by."
    )
    postmark_webhook_secret: str | None = Field(
        None,
        pattern=r"^[^:]{4,}:.{12,}$",
        description="`user:password` in the address of `POST /api/webhooks/postmark`.",
    )

    google_client_id: str | None = Field(None, description="Sign-in with Google.")
    google_client_secret: str | None = Field(None, description="Goes with the id.")
    github_client_id: str | None = Field(None, description="Sign-in with GitHub.")
    github_client_secret: str | None = Field(None, description="Goes with the id.")
    oidc_issuer: str | None = Field(
        None, pattern=r"^https?://", description="Any OpenID Connect provider: its issuer."
    )
    oidc_client_id: str | None = Field(None, description="Our id there.")
    oidc_client_secret: str | None = Field(None, description="Our secret there.")

    sentry_dsn: str | None = Field(
        None, pattern=r"^https?://", description="Where faults are reported to."
    )
    sentry_traces: float = Field(
        0.0, ge=0, le=1, description="The share of requests whose course is reported too."
    )
    metrics_token: str | None = Field(
        None, min_length=16, description="Who sends it as bearer token may read `/metrics`."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="What is worth a line."
    )
    log_requests: bool | None = Field(
        None, description="A line for each request; on in production."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="`json` is one object a line, for a collector."
    )

    @field_validator(
        "allowed_hosts", "admin_emails", "cors_origins", "stripe_webhook_secret", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("storefront_hosts", mode="before")
    @classmethod
    def _pairs_of_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = [part.partition("=") for part in value.split(",") if part.strip()]
            return {host.strip().lower(): shop.strip().lower() for host, _, shop in pairs}
        return value

    @property
    def sandbox(self) -> bool:
        return self.markethall_env == "sandbox"

    def faults(self, *, opens: bool = True) -> list[str]:
        """What is wrong across settings, beyond the type of each. A hall that is only being set up,
        and does not open, may do without a real gateway, mail, and the secrets of webhooks."""
        found = []
        for first, second in _PAIRS:
            if bool(getattr(self, first)) != bool(getattr(self, second)):
                found.append(f"{first.upper()} and {second.upper()} go together: set both or none.")
        if self.payment_gateway == "polar" and not (
            self.polar_access_token and (self.polar_webhook_secret or not opens)
        ):
            found.append("PAYMENT_GATEWAY=polar needs POLAR_ACCESS_TOKEN and POLAR_WEBHOOK_SECRET.")
        found += self.image_faults()
        found += self._stripe_faults(opens)
        found += self._mail_faults()
        found += storage_faults(self)
        if not self.sandbox:
            found += self._production_faults(opens)
        return found

    def doubts(self) -> list[str]:
        """What can be meant so, and seldom is; each with its mend."""
        if self.site_url.startswith("https://") and not self.trusted_proxies:
            return [
                "SITE_URL is https, so a proxy stands before the hall, but TRUSTED_PROXIES is 0:"
                " all customers share one limit of sign-ins. Set TRUSTED_PROXIES to how many"
                " proxies there are, usually 1."
            ]
        return []

    def _stripe_faults(self, opens: bool) -> list[str]:
        found = []
        names = ["stripe_secret_key", "stripe_publishable_key"]
        names += ["stripe_webhook_secret"] if opens else []
        if self.payment_gateway == "stripe":
            found += [
                f"PAYMENT_GATEWAY=stripe needs {name.upper()}."
                for name in names
                if not getattr(self, name)
            ]
        if any(not secret.startswith("whsec_") for secret in self.stripe_webhook_secret):
            found.append("STRIPE_WEBHOOK_SECRET starts with whsec_: the endpoint's signing secret.")
        if len(self.stripe_webhook_secret) > 2:
            found.append("STRIPE_WEBHOOK_SECRET holds two secrets at most.")
        keys = [self.stripe_secret_key, self.stripe_publishable_key]
        modes = {key.split("_")[1] for key in keys if key}
        if len(modes) > 1:
            found.append("STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are of different modes.")
        if modes == {"test"} and not self.sandbox and not self.allow_sandbox_parts:
            found.append(
                "STRIPE_SECRET_KEY is a test key: it takes no money. Use the live one."
                " ALLOW_SANDBOX_PARTS=true lets a rehearsal start all the same."
            )
        return found

    def _mail_faults(self) -> list[str]:
        found = []
        needed = _MAIL_NEEDS.get(self.mail_backend)
        if needed and not getattr(self, needed):
            found.append(f"MAIL_BACKEND={self.mail_backend} needs {needed.upper()}.")
        own_address = not self.mail_from.rstrip(">").endswith((".test", ".invalid"))
        if needed and not (self.sandbox or self.allow_sandbox_parts or own_address):
            found.append("MAIL_FROM must be an address of a domain of yours.")
        return found

    def _production_faults(self, opens: bool) -> list[str]:
        found = []
        if self.debug:
            found.append("DEBUG shows secrets to strangers. Unset it in production.")
        if not self.secret_key:
            found.append("SECRET_KEY is missing. Make one with: openssl rand -base64 48")
        elif "change" in self.secret_key.lower() or len(set(self.secret_key)) < 10:
            found.append("SECRET_KEY is a default or too simple. Make one: openssl rand -base64 48")
        if not self.database_url:
            found.append("DATABASE_URL is missing: postgresql://user:password@host:5432/name")
        if not self.site_url.startswith("https://"):
            found.append("SITE_URL must be the https:// address that customers use.")
        if opens and not self.allow_sandbox_parts:
            for name, (part, mend) in SANDBOX_PARTS.items():
                if getattr(self, name) == part:
                    found.append(
                        f"{name.upper()} is the sandbox part {part!r}. {mend}"
                        " ALLOW_SANDBOX_PARTS=true lets a rehearsal start all the same."
                    )
        return found


_PAIRS = (
    ("google_client_id", "google_client_secret"),
    ("github_client_id", "github_client_secret"),
    ("oidc_client_id", "oidc_client_secret"),
    ("smtp_user", "smtp_password"),
    *STORAGE_PAIRS,
)
_MAIL_NEEDS = {
    "smtp": "smtp_host",
    "resend": "resend_api_key",
    "sendgrid": "sendgrid_api_key",
    "postmark": "postmark_server_token",
}


@cache
def load() -> Environment:
    """Read and check the settings once a process. Raises FaultyEnvironment with every fault."""
    try:
        environment = Environment()
    except ValidationError as error:
        raise FaultyEnvironment(
            [f"{str(item['loc'][0]).upper()}: {item['msg']}." for item in error.errors()]
        ) from None
    faults = environment.faults(opens=_OPENS.get())
    if faults:
        raise FaultyEnvironment(faults)
    environment.data_dir = environment.data_dir.expanduser().resolve()
    if environment.sandbox:
        _fill_secrets(environment)
    return environment


def load_closed() -> Environment:
    """``load``, for a process that sets the hall up or examines it, and does not open it."""
    token = _OPENS.set(False)
    try:
        return load()
    finally:
        _OPENS.reset(token)


def _fill_secrets(environment: Environment) -> None:
    """In the sandbox, secrets that nobody gave are made once and kept in the data folder."""
    environment.data_dir.mkdir(parents=True, exist_ok=True)
    path = environment.data_dir / "secrets.json"
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(
                {
                    "secret_key": secrets.token_urlsafe(48),
                    "sandbox_webhook_secret": "whsec_" + secrets.token_hex(24),
                },
                file,
            )
    except FileExistsError:
        pass
    for name, value in json.loads(path.read_text()).items():
        if not getattr(environment, name):
            setattr(environment, name, value)


def oauth_providers(environment: Environment) -> dict[str, Any]:
    """django-allauth's providers: those whose credentials are given."""
    providers: dict[str, Any] = {}
    if environment.google_client_id:
        providers["google"] = {
            "APPS": [
                {
                    "client_id": environment.google_client_id,
                    "secret": environment.google_client_secret,
                }
            ],
            "SCOPE": ["openid", "profile", "email"],
            "OAUTH_PKCE_ENABLED": True,
        }
    if environment.github_client_id:
        providers["github"] = {
            "APPS": [
                {
                    "client_id": environment.github_client_id,
                    "secret": environment.github_client_secret,
                }
            ],
            "SCOPE": ["read:user", "user:email"],
        }
    if environment.oidc_client_id:
        providers["openid_connect"] = {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": "OpenID Connect",
                    "client_id": environment.oidc_client_id,
                    "secret": environment.oidc_client_secret,
                    "settings": {"server_url": environment.oidc_issuer},
                }
            ],
        }
    return providers
