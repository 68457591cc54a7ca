"""The doctor shows our credentials to a real provider, and signs nobody in."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from house.oidc_dance import configure
from markethall.foundation.accounts.models import User
from markethall.interfaces.cli import doctor
from markethall.interfaces.cli.doctor import Finding

pytestmark = [pytest.mark.oidc, pytest.mark.django_db]


@pytest.fixture
def look(settings: Any, issuer: str) -> Any:
    """What the doctor says of sign-in, with these settings changed."""

    def look(**changes: str) -> Finding:
        known = {
            "oidc_issuer": issuer,
            "oidc_client_id": "hall",
            "oidc_client_secret": "a-secret-of-the-hall",
        }
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={**known, **changes})
        [finding] = doctor.sign_in(settings.ENVIRONMENT)
        return finding

    return look


def test_a_provider_that_knows_us(look: Any) -> None:
    finding = look()
    assert (finding.state, finding.mend) == ("OpenID Connect knows us", "")
    assert not User.objects.exists()


@pytest.mark.parametrize("changes", [{"oidc_client_secret": "wrong"}, {"oidc_client_id": "wrong"}])
def test_wrong_credentials_are_named(look: Any, changes: dict[str, str]) -> None:
    finding = look(**changes)
    assert "invalid_client" in finding.state
    assert "OIDC_" in finding.mend and "/oauth/oidc/callback" in finding.mend


@pytest.mark.parametrize("path", ["/nothing", "http://127.0.0.1:9"])
def test_an_address_that_is_no_provider(look: Any, issuer: str, path: str) -> None:
    address = path if path.startswith("http") else issuer + path
    assert ".well-known" in look(oidc_issuer=address).state


def test_what_works_for_the_doctor_works_for_people(look: Any, settings: Any, issuer: str) -> None:
    assert look().mend == ""
    configure(settings, issuer)
    assert "Continue with OpenID Connect" in Client().get("/login").content.decode()
