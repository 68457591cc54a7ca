from __future__ import annotations

import re
from typing import Any

import pytest

from house.people import PASSWORD, ApiClient
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.messaging.queries import links_in, outbox

pytestmark = pytest.mark.django_db
ADA = {"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada Lovelace"}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def links(to: str) -> list[str]:
    return links_in(outbox(to)[0])


def mail_to(to: str) -> Mail:
    return outbox(to)[0]


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def key_in(link: str) -> str:
    return link.rsplit("/", 1)[1]


def verified(api: ApiClient, person: dict[str, str] = ADA) -> None:
    """Sign up and open the mailed key."""
    assert api.post("/api/auth/register", person).status_code == 201
    key = key_in(links(person["email"])[0])
    assert api.post("/api/auth/verify-email", {"token": key}).status_code == 200


def login(api: ApiClient, person: dict[str, str] = ADA, **more: Any) -> Any:
    body = {"email": person["email"], "password": person["password"], **more}
    return api.post("/api/auth/login", body)


class TestTheWalk:
    def test_register_verify_login_me_logout(self, api: ApiClient) -> None:
        answer = api.post("/api/auth/register", ADA)
        assert answer.status_code == 201
        user = answer.json()["user"]
        assert (user["email"], user["name"]) == ("ada@example.com", "Ada Lovelace")
        assert user["emailVerified"] is False
        assert balance_of(User.objects.get().pk).balance == 10

        refused = login(api)
        assert (refused.status_code, refused.json()["code"]) == (403, "email_unverified")
        assert "token" not in refused.json() and "sessionid" not in api.cookies
        assert outbox("ada@example.com").count() == 2  # the link was mailed again

        key = key_in(links("ada@example.com")[0])
        for _ in range(2):
            opened = api.get("/api/auth/verify-email", {"token": key})
            assert opened.status_code == 200 and "sessionid" not in api.cookies

        answer = login(api)
        assert answer.status_code == 200
        assert answer.json()["user"] == {**user, "emailVerified": True}
        assert api.cookies["sessionid"]["httponly"]
        bearer = ApiClient(answer.json()["token"])
        assert bearer.get("/api/auth/me").json()["user"]["id"] == user["id"]
        assert api.get("/api/auth/me").json()["user"]["id"] == user["id"]

        assert bearer.post("/api/auth/logout").status_code == 200
        assert bearer.get("/api/auth/me").status_code == 401
        assert acts() == [
            "auth.register",
            "auth.verify",
            "auth.login",
            "auth.logout",
        ]

    @pytest.mark.parametrize("path", ["/api/auth/signup", "/api/auth/register"])
    def test_aliases_do_the_same(self, api: ApiClient, path: str) -> None:
        assert api.post(path, ADA).status_code == 201
        key = key_in(links("ada@example.com")[0])
        assert api.post("/api/auth/verify-email", {"key": key}).status_code == 200
        token = api.post("/api/auth/signin", {k: ADA[k] for k in ("email", "password")}).json()[
            "token"
        ]
        assert ApiClient(token).post("/api/auth/signout").status_code == 200
        document = api.get("/api/openapi.json").json()
        assert not {"/api/auth/signup", "/api/auth/signin", "/api/auth/signout"} & set(
            document["paths"]
        )

    def test_the_mail_has_one_link_and_says_what_it_is_for(self, api: ApiClient) -> None:
        api.post("/api/auth/register", ADA)
        mail = mail_to("ada@example.com")
        assert mail.subject == "Verify your e-mail address"
        assert len(links_in(mail)) == 1 and links_in(mail)[0] in mail.html
        assert "Ada Lovelace" in mail.text and "Ada Lovelace" in mail.html
        assert re.search(r"<h1[^>]*>Verify", mail.html)
