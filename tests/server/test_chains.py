from __future__ import annotations

from typing import Any

import httpx
import pytest

from house.people import make_user
from markethall.config.wsgi import application
from markethall.foundation.accounts.models import Token
from markethall.foundation.accounts.tokens import issue_token
from markethall.interfaces.server.chains import is_of_a_program


@pytest.mark.parametrize(
    ("path", "method", "header", "program"),
    [
        ("/api/webhooks/sandbox", "POST", "", True),
        ("/api/webhooks/events", "GET", "", False),
        ("/api/images/generate", "POST", "Bearer x", True),
        ("/api/images/generate", "POST", "", False),
        ("/api/auth/login", "POST", "Bearer x", False),
        ("/api/user/account", "DELETE", "Bearer x", False),
        ("/plushify", "GET", "Bearer x", False),
    ],
)
def test_only_programs_skip_what_guards_browsers(
    path: str, method: str, header: str, program: bool
) -> None:
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_AUTHORIZATION": header}
    assert is_of_a_program(environ) is program


@pytest.fixture
def hall(transactional_db: None) -> httpx.Client:
    return httpx.Client(
        transport=httpx.WSGITransport(app=application), base_url="http://testserver"
    )


def bearer(hall: httpx.Client) -> dict[str, str]:
    _, secret = issue_token(make_user(email="ada@example.com"), Token.Kind.SESSION)
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/images",
        "/api/credits/balance",
        "/api/credits/history",
        "/api/payments/transactions",
        "/api/payments/plans",
        "/api/orders",
    ],
)
def test_the_short_chain_answers_like_the_long_one(hall: httpx.Client, path: str) -> None:
    answer = hall.get(path, headers=bearer(hall))
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/api/images/none", "/api/orders/none", "/api/payments/x/y"])
def test_its_refusals_are_problem_documents(hall: httpx.Client, path: str) -> None:
    answer: Any = hall.get(path, headers=bearer(hall))
    assert answer.status_code in (404, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_bad_token_is_refused_and_a_bad_signature_too(hall: httpx.Client) -> None:
    refused = hall.get("/api/orders", headers={"Authorization": "Bearer mh_sess_wrong"})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    unsigned = hall.post("/api/webhooks/sandbox", json={"type": "payment.succeeded"})
    assert (unsigned.status_code, unsigned.json()["code"]) == (400, "invalid_signature")
