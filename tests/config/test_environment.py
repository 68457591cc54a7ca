from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from markethall.config import environment
from markethall.config.environment import Environment, FaultyEnvironment
from markethall.interfaces.cli.setup import checked_environment
from markethall.interfaces.cli.up import name_address

REAL = {
    "MARKETHALL_ENV": "production",
    "SECRET_KEY": "kQ8vX2mZ0rT5yB7nL1cF4hJ9dS6gA3wEpU",
    "DATABASE_URL": "postgresql://hall@db/hall",
    "SITE_URL": "https://shop.example",
    "MAIL_BACKEND": "smtp",
    "SMTP_HOST": "mail.example",
}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Load the settings as a fresh process with exactly these variables would."""
    # The settings of the tests themselves stay the ones that Django was given.
    load = cache(environment.load.__wrapped__)
    monkeypatch.setattr(environment, "load", load)

    def start(**variables: str) -> Environment:
        for name in Environment.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in {"DATA_DIR": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        load.cache_clear()
        return load()

    return start


def faults_of(start: Any, **variables: str) -> str:
    with pytest.raises(FaultyEnvironment) as refusal:
        start(**variables)
    return str(refusal.value)


def test_the_sandbox_needs_no_settings_and_keeps_its_secrets(start: Any, tmp_path: Path) -> None:
    first, second = start(), start()
    assert first.secret_key
    assert first.secret_key == second.secret_key
    assert first.sandbox_webhook_secret == second.sandbox_webhook_secret
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


def test_every_fault_is_told_at_once(start: Any) -> None:
    text = faults_of(start, SITE_URL="ftp://x", WEB_THREADS="many", LOG_LEVEL="LOUD")
    assert all(name in text for name in ("SITE_URL", "WEB_THREADS", "LOG_LEVEL"))


def test_production_names_everything_that_is_missing(start: Any) -> None:
    text = faults_of(start, MARKETHALL_ENV="production", DEBUG="true")
    for name in ("DEBUG", "SECRET_KEY", "DATABASE_URL", "SITE_URL", "PAYMENT_GATEWAY", "MAIL"):
        assert name in text


def test_production_refuses_a_default_secret(start: Any) -> None:
    text = faults_of(start, **{**REAL, "SECRET_KEY": "change-me-" * 5})
    assert "SECRET_KEY is a default" in text


def test_a_rehearsal_may_start_with_sandbox_parts(start: Any) -> None:
    assert "PAYMENT_GATEWAY" in faults_of(start, **REAL)
    assert not start(**REAL, ALLOW_SANDBOX_PARTS="true").sandbox


@pytest.mark.parametrize(
    "given",
    [
        {"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_PUBLISHABLE_KEY": "pk_live_x"},
        {"POLAR_ACCESS_TOKEN": "polar_oat_x"},
    ],
    ids=["stripe", "polar"],
)
def test_a_hall_is_set_up_before_its_webhook_secret_is_known(
    start: Any, given: dict[str, str]
) -> None:
    """``setup-stripe`` and ``setup-polar`` make the secret; until then no gateway is named."""
    name = next(iter(given)).partition("_")[0].lower()
    known = {**REAL, "MAIL_FROM": "Shop <hello@shop.example>", **given}
    for variables in (known, {**known, "PAYMENT_GATEWAY": name}):
        assert "PAYMENT_GATEWAY" in faults_of(start, **variables)
        (fault,) = checked_environment(opens=False).faults()
        assert "PAYMENT_GATEWAY" in fault


def test_a_hall_that_is_set_up_needs_all_else(start: Any) -> None:
    faults_of(start, MARKETHALL_ENV="production")
    with pytest.raises(FaultyEnvironment) as refusal:
        checked_environment(opens=False)
    assert "DATABASE_URL" in str(refusal.value)


def test_a_hall_without_an_address_is_where_it_listens(start: Any, tmp_path: Path) -> None:
    environment = start()
    name_address(environment, "127.0.0.1", 8123)
    assert environment.site_url == "http://127.0.0.1:8123"
    (tmp_path / ".env").write_text("SITE_URL=https://shop.example\n")
    environment = start()
    name_address(environment, "127.0.0.1", 8123)
    assert environment.site_url == "https://shop.example"


@pytest.mark.parametrize("name", ["GOOGLE_CLIENT_ID", "GITHUB_CLIENT_SECRET", "OIDC_CLIENT_ID"])
def test_credentials_come_in_pairs(start: Any, name: str) -> None:
    assert "go together" in faults_of(start, **{name: "x"})


def test_lists_are_comma_separated(start: Any) -> None:
    assert start(ADMIN_EMAILS="a@x.example, b@x.example,").admin_emails == [
        "a@x.example",
        "b@x.example",
    ]


def test_hosts_of_storefronts_are_pairs(start: Any) -> None:
    hosts = start(storefront_hosts="Toys.example=plushify, rings.example=elysium").storefront_hosts
    assert hosts == {"toys.example": "plushify", "rings.example": "elysium"}
    assert "STOREFRONT_HOSTS" in faults_of(start, storefront_hosts="toys.example=toys")


@pytest.mark.django_db
class TestOtherOrigins:
    def test_a_front_end_on_localhost_may_call_the_sandbox_api(self, client: Client) -> None:
        answer = client.options(
            "/api/payments/plans",
            HTTP_ORIGIN="http://localhost:3000",
            HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
            HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,idempotency-key",
        )
        assert answer["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer

    @pytest.mark.parametrize("path", ["/api/payments/plans", "/login"])
    def test_a_stranger_may_not(self, client: Client, path: str) -> None:
        origin = "https://elsewhere.example" if path.startswith("/api") else "http://localhost:3000"
        assert "Access-Control-Allow-Origin" not in client.get(path, HTTP_ORIGIN=origin)


def test_https_without_a_trusted_proxy_is_doubted(start: Any) -> None:
    real = {**REAL, "ALLOW_SANDBOX_PARTS": "true"}
    (doubt,) = start(**real).doubts()
    assert "TRUSTED_PROXIES" in doubt
    assert start(**real, TRUSTED_PROXIES="1").doubts() == []
    assert start().doubts() == []


def test_production_says_that_its_data_folder_is_missing(start: Any, tmp_path: Path) -> None:
    missing = tmp_path / "not" / "there"
    with pytest.raises(SystemExit) as refusal:
        start(**REAL, ALLOW_SANDBOX_PARTS="true", DATA_DIR=str(missing))
        checked_environment()
    assert f"mkdir -p {missing}" in str(refusal.value)


def test_the_data_folder_that_a_file_names_is_said_to_be_missing(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "not" / "there"
    (tmp_path / ".env").write_text(f"DATA_DIR={missing}\n")
    start(**REAL, ALLOW_SANDBOX_PARTS="true")
    monkeypatch.delenv("DATA_DIR")
    environment.load.cache_clear()
    with pytest.raises(SystemExit) as refusal:
        checked_environment()
    assert f"mkdir -p {missing}" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gemini", "GEMINI_API_KEY"),
        ("openai", "OPENAI_API_KEY"),
        ("replicate", "REPLICATE_API_TOKEN"),
        ("stability", "STABILITY_API_KEY"),
    ],
)
def test_an_image_provider_needs_its_key(start: Any, name: str, key: str) -> None:
    assert key in faults_of(start, IMAGE_PROVIDER=name)
    assert "IMAGE_FALLBACKS names" in faults_of(start, IMAGE_FALLBACKS=name)
    environment = start(**{"IMAGE_PROVIDER": name, key: "x", "IMAGE_FALLBACKS": f"local, {name}"})
    assert environment.image_chain == [name, "local"]


def test_image_settings_that_cannot_be(start: Any) -> None:
    text = faults_of(
        start,
        IMAGE_FALLBACKS="dalle",
        IMAGE_PRICES="gpt=cheap",
        REPLICATE_WEBHOOK_SECRET="plain",
        REPLICATE_MODEL="flux",
    )
    for name in ("IMAGE_FALLBACKS", "IMAGE_PRICES", "REPLICATE_WEBHOOK_SECRET", "REPLICATE_MODEL"):
        assert name in text
    assert start(IMAGE_PRICES="a/b=7, c=8").image_prices == {"a/b": 7, "c": 8}
