from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from house.hashers import QuickBCrypt
from house.people import PASSWORD, ApiClient, client_for, make_user
from markethall.foundation.accounts import limits
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.messaging.queries import links_in, outbox
from markethall.kernel.throttle import Limit

pytestmark = pytest.mark.django_db
ADA = {"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada Lovelace"}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been hashed: one entry a password."""
    seen: list[str] = []
    encode = QuickBCrypt.encode

    def counting(self: QuickBCrypt, password: str, salt: Any) -> str:
        seen.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(QuickBCrypt, "encode", counting)
    return seen


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
        # A stranger may have chosen the name; it is no way to send words to anybody.
        assert "Ada Lovelace" not in mail.text + mail.html
        assert re.search(r"<h1[^>]*>Verify", mail.html)


class TestNothingIsGivenAway:
    def test_registering_a_known_address_looks_the_same(
        self, api: ApiClient, hashed: list[str]
    ) -> None:
        first = api.post("/api/auth/register", ADA)
        work = len(hashed)
        again = api.post("/api/auth/register", {**ADA, "password": "quite-another-one"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert len(hashed) == 2 * work == 2
        one, two = first.json()["user"], again.json()["user"]
        assert one.keys() == two.keys() and one["id"] != two["id"]
        changing = ("id", "createdAt")
        assert {**one, "id": 0, "createdAt": 0} == {
            k: 0 if k in changing else v for k, v in two.items()
        }
        assert User.objects.count() == 1
        assert mail_to("ada@example.com").template == "account_exists"

    def test_the_second_password_is_not_that_of_the_account(self, api: ApiClient) -> None:
        verified(api)
        api.post("/api/auth/register", {**ADA, "password": "quite-another-one"})
        assert login(api, {**ADA, "password": "quite-another-one"}).status_code == 401
        assert login(api).status_code == 200

    def test_wrong_password_and_unknown_address_are_one(
        self, api: ApiClient, hashed: list[str]
    ) -> None:
        verified(api)
        hashed.clear()
        wrong = login(api, {**ADA, "password": "not-hers-at-all"})
        work = len(hashed)
        unknown = login(api, {**ADA, "email": "nobody@example.com"})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert wrong.json()["code"] == "invalid_credentials"
        assert (work, len(hashed)) == (1, 2)

    def test_an_account_without_password_costs_the_same(
        self, api: ApiClient, hashed: list[str]
    ) -> None:
        user = make_user(email="ada@example.com")
        user.set_unusable_password()
        user.save()
        hashed.clear()
        assert login(api).json()["code"] == "invalid_credentials"
        assert len(hashed) == 1

    @pytest.mark.parametrize("path", ["forgot-password", "resend-verification"])
    def test_asking_for_a_mail_tells_nothing(self, api: ApiClient, path: str) -> None:
        make_user(email="ada@example.com", verified=False)
        known = api.post(f"/api/auth/{path}", {"email": "ada@example.com"})
        unknown = api.post(f"/api/auth/{path}", {"email": "nobody@example.com"})
        assert known.status_code == unknown.status_code == 200
        assert known.json() == unknown.json()

    def test_an_unverified_account_cannot_be_told_by_a_wrong_password(self, api: ApiClient) -> None:
        api.post("/api/auth/register", ADA)
        assert login(api, {**ADA, "password": "not-hers-at-all"}).status_code == 401


class TestPasswords:
    def test_bcrypt_with_12_rounds_and_7_day_sessions(self) -> None:
        from markethall.config import settings as product

        assert product.PASSWORD_HASHERS == [
            "django.contrib.auth.hashers.BCryptSHA256PasswordHasher"
        ]
        assert BCryptSHA256PasswordHasher.rounds == 12
        assert product.SESSION_COOKIE_AGE == 7 * 24 * 3600
        assert product.SESSION_COOKIE_HTTPONLY

    def test_eight_characters_will_do_in_the_sandbox(self, api: ApiClient) -> None:
        for index, (password, status) in enumerate([("12345678", 201), ("1234567", 422)]):
            email = f"ada{index}@example.com"
            answer = api.post("/api/auth/register", {"email": email, "password": password})
            assert answer.status_code == status

    @pytest.mark.parametrize("password", ["short", "12345678", "password", "ada@example.com"])
    def test_weak_ones_are_refused_by_name_of_the_field(
        self, api: ApiClient, settings: Any, password: str
    ) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = settings.STRICT_PASSWORD_VALIDATORS
        answer = api.post("/api/auth/register", {**ADA, "password": password})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["path"] == "password"
        assert not User.objects.exists()

    def test_reset_ends_sessions_tokens_and_the_link(self, api: ApiClient) -> None:
        user = make_user(email="ada@example.com")
        bearer, browser = client_for(user), ApiClient()
        login(browser)
        api.post("/api/auth/forgot-password", {"email": "ADA@example.com"})
        body = {"token": key_in(links("ada@example.com")[0]), "password": "brand-new-secret"}
        assert api.post("/api/auth/reset-password", body).status_code == 200
        assert bearer.get("/api/auth/me").status_code == 401
        assert browser.get("/api/auth/me").status_code == 401
        assert login(api).status_code == 401
        assert login(api, {**ADA, "password": "brand-new-secret"}).status_code == 200
        again = api.post("/api/auth/reset-password", body)
        assert (again.status_code, again.json()["code"]) == (422, "link_invalid")
        assert mail_to("ada@example.com").template == "password_changed"
        assert "auth.password_reset" in acts()

    def test_reset_proves_the_address_and_shuts_out_who_opened_the_account(
        self, api: ApiClient
    ) -> None:
        api.post("/api/auth/register", {**ADA, "password": "of-the-intruder"})
        api.post("/api/auth/register", ADA)
        body = {"token": key_in(links("ada@example.com")[0]), "password": PASSWORD}
        assert api.post("/api/auth/reset-password", body).status_code == 200
        assert login(api).status_code == 200
        assert login(api, {**ADA, "password": "of-the-intruder"}).status_code == 401

    @pytest.mark.parametrize("token", ["x", "-", "a-b", "0" * 32 + "-abc-def", "\u0000", "é-1"])
    def test_a_made_up_token_is_refused(self, api: ApiClient, token: str) -> None:
        body = {"token": token, "password": "brand-new-secret"}
        assert api.post("/api/auth/reset-password", body).status_code == 422
        assert api.post("/api/auth/verify-email", {"token": token}).status_code == 422

    def test_change_keeps_this_session_and_ends_the_others(self) -> None:
        user = make_user(email="ada@example.com")
        here, there, bearer = ApiClient(), ApiClient(), client_for(user)
        login(here)
        login(there)
        csrf = here.get("/api/auth/session").cookies["csrftoken"].value
        body = {"currentPassword": PASSWORD, "newPassword": "brand-new-secret"}
        wrong = here.post(
            "/api/auth/change-password",
            {**body, "currentPassword": "not-it-at-all"},
            headers={"X-CSRFToken": csrf},
        )
        assert wrong.json()["errors"][0]["path"] == "currentPassword"
        answer = here.post("/api/auth/change-password", body, headers={"X-CSRFToken": csrf})
        assert answer.status_code == 200
        assert here.get("/api/auth/me").status_code == 200
        assert there.get("/api/auth/me").status_code == 401
        assert bearer.get("/api/auth/me").status_code == 401
        assert ApiClient(answer.json()["token"]).get("/api/auth/me").status_code == 200
        assert list(Token.objects.values_list("kind", flat=True)) == ["session"]

    def test_a_token_lasts_seven_days(self, turn_clock: Callable[[timedelta], None]) -> None:
        bearer = client_for(make_user())
        turn_clock(timedelta(days=7, seconds=-5))
        assert bearer.get("/api/auth/me").status_code == 200
        turn_clock(timedelta(seconds=5))
        assert bearer.get("/api/auth/me").status_code == 401


class TestCookies:
    def test_a_change_by_cookie_needs_the_csrf_token(self) -> None:
        make_user(email="ada@example.com")
        browser = ApiClient(enforce_csrf_checks=True)
        login(browser)
        refused = browser.put("/api/auth/profile", {"name": "Eve"})
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
        assert browser.post("/api/auth/logout").status_code == 403
        csrf = browser.get("/api/auth/session").cookies["csrftoken"].value
        token = {"X-CSRFToken": csrf}
        answer = browser.put("/api/auth/profile", {"name": "Ada L."}, headers=token)
        assert answer.json()["user"]["name"] == "Ada L."
        assert browser.post("/api/auth/logout", headers=token).status_code == 200
        assert browser.get("/api/auth/session").json() == {"user": None, "expiresAt": None}
        assert not Token.objects.exists()  # the token of that login went with the session

    def test_a_token_needs_none(self) -> None:
        bearer = client_for(make_user(), enforce_csrf_checks=True)
        assert bearer.put("/api/auth/profile", {"phone": "+44 20 7946"}).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
        ],
    )
    def test_a_foreign_page_starts_no_session(
        self, api: ApiClient, headers: dict[str, str]
    ) -> None:
        make_user(email="ada@example.com")
        body = {"email": "ada@example.com", "password": PASSWORD}
        assert api.post("/api/auth/login", body, headers=headers).status_code == 200
        assert "sessionid" not in api.cookies
        own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
        api.post("/api/auth/login", body, headers=own)
        assert "sessionid" in api.cookies

    def test_a_stale_cookie_is_no_reason_to_refuse_a_sign_in(self) -> None:
        make_user(email="ada@example.com")
        make_user(email="grace@example.com")
        browser = ApiClient(enforce_csrf_checks=True)
        for email in ("ada@example.com", "grace@example.com"):
            assert login(browser, {"email": email, "password": PASSWORD}).status_code == 200
            assert browser.get("/api/auth/me").json()["user"]["email"] == email

    def test_session_tells_until_when(self, api: ApiClient) -> None:
        make_user(email="ada@example.com")
        login(api)
        session = api.get("/api/auth/session").json()
        assert session["user"]["email"] == "ada@example.com"
        left = datetime.fromisoformat(session["expiresAt"]) - datetime.now(UTC)
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


class TestLimits:
    def test_ten_wrong_passwords_lock_one_account_wherever_they_come_from(
        self, api: ApiClient
    ) -> None:
        make_user(email="ada@example.com")
        make_user(email="grace@example.com")
        for number in range(10):
            wrong = ApiClient(REMOTE_ADDR=f"10.0.0.{number}")
            assert login(wrong, {**ADA, "password": "not-hers-at-all"}).status_code == 401
        locked = login(api)
        assert (locked.status_code, locked.json()["code"]) == (429, "rate_limited")
        assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60
        assert login(api, {"email": "grace@example.com", "password": PASSWORD}).status_code == 200

    def test_an_unknown_address_locks_just_the_same(self, api: ApiClient) -> None:
        nobody = {"email": "nobody@example.com", "password": "not-hers-at-all"}
        assert [login(api, nobody).status_code for _ in range(11)] == [401] * 10 + [429]

    def test_right_passwords_do_not_count(self, api: ApiClient) -> None:
        make_user(email="ada@example.com")
        assert {login(api).status_code for _ in range(12)} == {200}

    def test_a_reset_unlocks(self, api: ApiClient) -> None:
        make_user(email="ada@example.com")
        for _ in range(11):
            login(api, {**ADA, "password": "not-hers-at-all"})
        api.post("/api/auth/forgot-password", {"email": "ada@example.com"})
        body = {"token": key_in(links("ada@example.com")[0]), "password": "brand-new-secret"}
        api.post("/api/auth/reset-password", body)
        assert login(api, {**ADA, "password": "brand-new-secret"}).status_code == 200

    @pytest.mark.parametrize(
        ("act", "call"),
        [
            ("register", lambda api: api.post("/api/auth/register", ADA)),
            ("login", login),
            ("verify", lambda api: api.post("/api/auth/verify-email", {"token": "x"})),
            ("verify", lambda api: api.get("/api/auth/verify-email", {"token": "x"})),
            ("forgot", lambda api: api.post("/api/auth/forgot-password", {"email": "a@b.co"})),
            (
                "verification_mail",
                lambda api: api.post("/api/auth/resend-verification", {"email": "a@b.co"}),
            ),
            (
                "reset",
                lambda api: api.post("/api/auth/reset-password", {"token": "x", "password": "y"}),
            ),
            ("session", lambda api: api.get("/api/auth/session")),
            ("session", lambda api: api.post("/api/auth/logout")),
            ("session", lambda api: api.get("/api/auth/oauth")),
            ("oauth", lambda api: api.post("/api/auth/oauth/google/start")),
            ("oauth", lambda api: api.get("/api/auth/oauth/google/callback")),
        ],
    )
    def test_every_endpoint_is_counted_by_address(
        self,
        api: ApiClient,
        act: str,
        call: Callable[[ApiClient], Any],
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
    ) -> None:
        settings.AUTH_LIMIT_FACTOR = 1
        monkeypatch.setitem(
            limits.LIMITS,
            act,
            limits.ActLimits(Limit(1, timedelta(hours=1)), Limit(9, timedelta(hours=1))),
        )
        assert call(api).status_code != 429
        refused = call(api)
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
        assert call(ApiClient(REMOTE_ADDR="10.9.8.7")).status_code != 429

    def test_the_sandbox_lets_a_crowd_sign_up_from_one_place(self, api: ApiClient) -> None:
        for number in range(80):
            person = {**ADA, "email": f"guest-{number}@example.com"}
            assert api.post("/api/auth/register", person).status_code == 201

    def test_mails_to_one_address_are_few(self, api: ApiClient) -> None:
        api.post("/api/auth/register", ADA)
        for _ in range(9):
            assert login(api).status_code == 403
        assert outbox("ada@example.com").count() == 6


class TestRoles:
    def test_an_operator_gets_the_role_with_verification_not_before(
        self, api: ApiClient, settings: Any
    ) -> None:
        settings.ADMIN_EMAILS = ["ada@example.com", "grace@example.com"]
        api.post("/api/auth/register", ADA)
        assert User.objects.get().role == "customer"
        for email, role in (("ada@example.com", "super_admin"), ("grace@example.com", "admin")):
            if role == "admin":
                api.post("/api/auth/register", {**ADA, "email": email})
            key = key_in(links(email)[0])
            api.post("/api/auth/verify-email", {"token": key})
            assert User.objects.get(email=email).role == role
        entry = AuditEntry.objects.filter(action="user.role_change").first()
        assert entry and entry.data == {
            "before": "customer",
            "after": "super_admin",
            "because": "ADMIN_EMAILS",
        }


class TestBadInput:
    @pytest.mark.parametrize(
        "change",
        [
            {"email": "not an address"},
            {"email": "a@b.co\u0000"},
            {"email": "x" * 250 + "@example.com"},
            {"name": "\u0000"},
            {"name": "\ud800"},
            {"name": "x" * 151},
            {"password": ""},
            {"password": "x" * 257},
            {"unknown": 1},
        ],
    )
    def test_is_422_never_5xx(self, api: ApiClient, change: dict[str, Any]) -> None:
        answer = api.post("/api/auth/register", {**ADA, **change})
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("password", ["\u0000" * 9, "\ud800" * 9, "é" * 256])
    def test_strange_passwords_do_no_harm(self, api: ApiClient, password: str) -> None:
        answer = api.post("/api/auth/register", {**ADA, "password": password})
        assert answer.status_code in (201, 422)
        assert login(api, {**ADA, "password": password}).status_code in (401, 403, 422)
