from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from house.people import PASSWORD, make_user, page_client
from markethall.foundation.accounts import limits
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.queries import links_in, outbox
from markethall.kernel.throttle import Limit

pytestmark = pytest.mark.django_db
ADA = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def browser() -> Client:
    return Client()


def path_in_mail(to: str) -> str:
    link = links_in(outbox(to)[0])[0]
    assert link.startswith("http://testserver/")
    return link.removeprefix("http://testserver")


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def is_signed_in(client: Client) -> bool:
    return client.get("/api/auth/session").json()["user"] is not None


class TestTheWalk:
    def test_sign_up_verify_sign_in_sign_out(self, browser: Client) -> None:
        sent = browser.post("/signup", {**ADA, "name": "Ada", "next": "/plushify/gallery"})
        assert sent.status_code == 302
        assert "ada@example.com" in text_of(browser.get(sent.headers["Location"]))

        early = browser.post("/login", ADA)
        assert early.headers["Location"].startswith("/verify-email")
        assert not is_signed_in(browser)

        link = path_in_mail("ada@example.com")
        for _ in range(2):
            opened = browser.get(link)
            assert opened.status_code == 200 and "verified" in text_of(opened)
            assert not is_signed_in(browser)

        entered = browser.post("/login", {**ADA, "next": "/plushify/gallery"})
        assert entered.headers["Location"] == "/plushify/gallery"
        assert is_signed_in(browser)
        assert AuditEntry.objects.filter(action="auth.login").count() == 1

        assert browser.get("/logout").status_code == 200 and is_signed_in(browser)
        assert browser.post("/logout").status_code == 302
        assert not is_signed_in(browser)

    def test_forgotten_password(self, browser: Client) -> None:
        user = make_user(email="ada@example.com")
        elsewhere = page_client(user)
        asked = browser.post("/forgot-password", {"email": "ada@example.com"})
        assert "sent a mail" in text_of(asked)
        link = path_in_mail("ada@example.com")
        assert browser.get(link).status_code == 200
        weak = browser.post(link, {"password": "short"})
        assert weak.status_code == 422 and "at least 8" in text_of(weak)
        assert browser.post(link, {"password": "brand-new-secret"}).status_code == 302
        assert not is_signed_in(elsewhere) and not is_signed_in(browser)
        assert browser.get(link).status_code == 422
        browser.post("/login", {**ADA, "password": "brand-new-secret"})
        assert is_signed_in(browser)

    def test_changing_the_password_keeps_this_browser_in(self) -> None:
        user = make_user(email="ada@example.com")
        here, there = page_client(user), page_client(user)
        wrong = here.post("/change-password", {"current": "nope-nope", "new": "brand-new-secret"})
        assert wrong.status_code == 422 and "not your password" in text_of(wrong)
        done = here.post("/change-password", {"current": PASSWORD, "new": "brand-new-secret"})
        assert done.status_code == 302
        assert is_signed_in(here) and not is_signed_in(there)


class TestNothingIsGivenAway:
    def test_known_and_unknown_addresses_get_the_same_pages(self, browser: Client) -> None:
        make_user(email="ada@example.com")
        for path in ("/forgot-password", "/verify-email", "/signup"):
            answers = []
            for email in ("ada@example.com", "nobody@example.com"):
                visitor = Client()
                answer = visitor.post(path, {"email": email, "password": PASSWORD}, follow=True)
                answers.append((answer.status_code, text_of(answer).replace(email, "EMAIL")))
            assert answers[0] == answers[1], path

    def test_wrong_password_and_unknown_address_are_one(self, browser: Client) -> None:
        make_user(email="ada@example.com")
        wrong = browser.post("/login", {**ADA, "password": "not-hers-at-all"})
        unknown = browser.post("/login", {**ADA, "email": "nobody@example.com"})
        assert wrong.status_code == unknown.status_code == 401
        assert text_of(wrong) == text_of(unknown)
        assert "address or the password is wrong" in text_of(wrong)


class TestSafety:
    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "http:///evil.example",
            "/\t/evil.example",
            "evil",
            "///evil.example",
        ],
    )
    def test_next_leads_nowhere_else(self, browser: Client, target: str) -> None:
        make_user(email="ada@example.com")
        entered = browser.post(f"/login?next={target}", {**ADA, "next": target})
        assert entered.headers["Location"] == "/plushify"
        again = browser.get("/login", {"next": target})
        assert again.headers["Location"] == "/plushify"
        out = browser.post("/logout", {"next": target})
        assert out.headers["Location"] == "/plushify"

    @pytest.mark.parametrize("path", ["/login", "/signup", "/logout", "/forgot-password"])
    def test_forms_need_the_csrf_token(self, path: str) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(path, ADA).status_code == 403
        page = strict.get("/login").content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        answer = strict.post(path, {**ADA, "csrfmiddlewaretoken": token[1]})
        assert answer.status_code != 403

    @pytest.mark.parametrize("path", ["/login", "/signup", "/forgot-password", "/verify-email"])
    def test_pages_hold_nothing_inline_and_are_not_kept(self, browser: Client, path: str) -> None:
        page = browser.get(path)
        assert page.status_code == 200
        assert "no-store" in page.headers["Cache-Control"]
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        body = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", body)

    def test_pages_for_signed_in_people_ask_for_it(self, browser: Client) -> None:
        for path in ("/second-factor", "/change-password"):
            answer = browser.get(path)
            assert answer.headers["Location"] == f"/login?next={path}"

    def test_a_wrong_link_says_what_to_do(self, browser: Client) -> None:
        for path in ("/verify-email/x", "/reset-password/x"):
            answer = browser.get(path)
            assert answer.status_code == 422 and "Ask for a new link" in text_of(answer)

    def test_an_erased_account_cannot_be_entered(self, browser: Client) -> None:
        user = make_user(email="ada@example.com")
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert browser.post("/login", ADA).status_code == 401


class TestTheme:
    @pytest.mark.parametrize(
        ("query", "theme"),
        [
            ("", "plushify"),
            ("?storefront=mybeing", "mybeing"),
            ("?next=/elysium/bag", "elysium"),
            ("?next=/market", "market"),
            ("?storefront=nonsense", "plushify"),
        ],
    )
    def test_the_page_wears_the_storefronts_look(
        self, browser: Client, query: str, theme: str
    ) -> None:
        assert f'data-theme="{theme}"' in browser.get(f"/login{query}").content.decode()

    def test_it_is_carried_along(self, browser: Client) -> None:
        page = browser.get("/login?storefront=mybeing&next=/mybeing/quizzes").content.decode()
        assert 'href="/signup?next=%2Fmybeing%2Fquizzes&amp;storefront=mybeing"' in page
        form = {**ADA, "storefront": "mybeing", "next": ""}
        make_user(email="ada@example.com")
        assert browser.post("/login", form).headers["Location"] == "/mybeing"


class TestLimits:
    @pytest.mark.parametrize(
        ("act", "path", "form"),
        [
            ("login", "/login", ADA),
            ("register", "/signup", ADA),
            ("forgot", "/forgot-password", {"email": "ada@example.com"}),
            ("verification_mail", "/verify-email", {"email": "ada@example.com"}),
        ],
    )
    def test_forms_are_counted_by_address(
        self,
        browser: Client,
        act: str,
        path: str,
        form: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
    ) -> None:
        settings.AUTH_LIMIT_FACTOR = 1
        one = Limit(1, timedelta(hours=1))
        monkeypatch.setitem(limits.LIMITS, act, limits.ActLimits(one, Limit(9, one.per)))
        assert browser.post(path, form).status_code != 429
        refused = browser.post(path, form)
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
        assert "Too many tries" in text_of(refused)

    def test_pages_and_api_count_together(self, browser: Client) -> None:
        make_user(email="ada@example.com")
        wrong = {**ADA, "password": "not-hers-at-all"}
        for _ in range(5):
            browser.post("/login", wrong)
            browser.post("/api/auth/login", wrong, content_type="application/json")
        assert browser.post("/login", ADA).status_code == 429


class TestProviders:
    def test_no_buttons_without_credentials(self, browser: Client) -> None:
        assert "Continue with" not in text_of(browser.get("/login"))
        assert browser.get("/oauth/google/login").status_code == 404
        assert browser.get("/oauth/unknown/login").status_code == 404
        assert browser.get("/api/auth/oauth").json()["items"] == []

    def test_a_button_for_each_that_is_set_up(self, browser: Client, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {
            name: {"APPS": [{"client_id": "id", "secret": "s"}]} for name in ("google", "github")
        }
        assert "Continue with Google" in text_of(browser.get("/login"))
        assert "Continue with GitHub" in text_of(browser.get("/signup"))
        start = browser.post("/oauth/google/login", {"next": "/plushify/gallery"})
        location = start.headers["Location"]
        assert location.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
        assert "redirect_uri=http%3A%2F%2Ftestserver%2Foauth%2Fgoogle%2Fcallback" in location
        by_api = browser.post(
            "/api/auth/oauth/github/start", {"next": "/"}, content_type="application/json"
        )
        assert by_api.json()["url"].startswith("https://github.com/login/oauth/authorize?")

    def test_a_link_alone_asks_first(self, browser: Client, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [{"client_id": "i", "secret": "s"}]}}
        page = browser.get("/oauth/github/login")
        assert page.status_code == 200 and "Continue with GitHub?" in text_of(page)
