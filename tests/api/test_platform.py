"""Settings, audit, metrics, the sandbox's tools, and the API's description of itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from house.people import ApiClient, client_for, make_user
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.platform.queries import forget_kept
from markethall.interfaces.api.document import endpoints, openapi_document
from markethall.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return make_user(role="admin")


@pytest.fixture
def api(admin: User) -> ApiClient:
    return client_for(admin)


def register(email: str = "new@example.com") -> Any:
    body = {"email": email, "password": "a-long-enough-secret", "name": "New"}
    return ApiClient().post("/api/auth/register", body)


class TestSettings:
    def test_have_defaults_and_keep_what_is_not_named(self, api: ApiClient) -> None:
        assert api.get("/api/settings").json()["welcomeCredits"] == 10
        changed = api.put("/api/settings", {"maintenanceNotice": "Back at noon"}).json()
        assert (changed["maintenanceNotice"], changed["welcomeCredits"]) == ("Back at noon", 10)
        assert api.get("/api/settings").json() == changed

    @pytest.mark.parametrize(
        "body",
        [{"welcomeCredits": -1}, {"generationCost": 0}, {"supportEmail": "x"}, {"colour": "red"}],
    )
    def test_refuse_what_makes_no_sense(self, api: ApiClient, body: dict[str, Any]) -> None:
        assert api.put("/api/settings", body).status_code == 422

    def test_decide_what_a_new_person_gets(self, api: ApiClient) -> None:
        api.put("/api/settings", {"welcomeCredits": 3})
        forget_kept()
        assert register().status_code == 201
        assert balance_of(User.objects.get(email="new@example.com").pk).balance == 3

    def test_close_the_sign_up(self, api: ApiClient) -> None:
        api.put("/api/settings", {"signupsOpen": False})
        forget_kept()
        answer = register()
        assert (answer.status_code, answer.json()["code"]) == (403, "signups_closed")
        assert not User.objects.filter(email="new@example.com").exists()


class TestAudit:
    def test_shows_who_did_what_with_filters(self, api: ApiClient, admin: User) -> None:
        user = make_user()
        api.post(f"/api/users/{user.pk}/credits", {"amount": 1, "reason": "Sorry"})
        api.put("/api/settings", {"welcomeCredits": 3})
        rows = api.get("/api/audit", {"actorId": str(admin.pk)}).json()["items"]
        assert [row["action"] for row in rows] == ["settings.change", "credits.correct"]
        assert rows[0]["data"] == {"before": 10, "after": 3}
        only = api.get("/api/audit", {"action": "credits.", "subjectId": str(user.pk)}).json()
        assert [row["data"]["reason"] for row in only["items"]] == ["Sorry"]
        later = (clock.now() + timedelta(hours=1)).isoformat()
        assert api.get("/api/audit", {"since": later}).json()["items"] == []


class TestMetrics:
    def test_count_requests_by_route_and_the_books(self, api: ApiClient) -> None:
        cache.clear()
        api.get("/api/settings")
        text = Client().get("/metrics").content.decode()
        assert 'route="api/settings"' in text
        assert 'markethall_ledger_balance{account="wallet:CREDIT"} 10.0' in text

    def test_are_not_for_strangers_in_production(self, settings: Any) -> None:
        settings.SANDBOX = False
        assert Client().get("/metrics").status_code == 404
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={"metrics_token": "a-token-of-the-collector"}
        )
        assert Client().get("/metrics").status_code == 404
        headers = {"Authorization": "Bearer a-token-of-the-collector"}
        assert Client().get("/metrics", headers=headers).status_code == 200


class TestSandboxTools:
    def test_the_outbox_has_the_mails_newest_first(self) -> None:
        for email in ("one@example.com", "two@example.com"):
            register(email)
        items = ApiClient().get("/api/dev/outbox").json()["items"]
        assert [item["to"] for item in items] == ["two@example.com", "one@example.com"]
        (mail,) = ApiClient().get("/api/dev/outbox", {"to": "ONE@example.com"}).json()["items"]
        assert set(mail) == {"to", "subject", "html", "text", "links", "sentAt"}
        assert any("verify" in link for link in mail["links"])

    def test_the_outbox_as_pages(self) -> None:
        user = make_user(name="Ada")
        mail = send_mail("welcome", to=user.email, user_id=user.pk, context={"user": user})
        browser = Client()
        assert mail.subject in browser.get("/dev/outbox").content.decode()
        assert browser.get(f"/dev/outbox/{mail.pk}").status_code == 200
        body = browser.get(f"/dev/outbox/{mail.pk}/html")
        assert body.content.decode() == mail.html
        assert "sandbox" in body["Content-Security-Policy"]
        assert "script-src" not in body["Content-Security-Policy"]

    def test_the_clock_is_turned_and_reset(self) -> None:
        before = clock.now()
        answer = ApiClient().post("/api/dev/clock", {"days": 30}).json()
        assert answer["aheadSeconds"] == 30 * 86_400
        assert clock.now() - before >= timedelta(days=30)
        Client().post("/dev/clock", {"days": "1"})
        assert clock.offset() == timedelta(days=31)
        assert ApiClient().post("/api/dev/clock", {"reset": True}).json()["aheadSeconds"] == 0


class TestDescription:
    def test_is_served_and_readable(self) -> None:
        assert Client().get("/api/openapi.json").json() == openapi_document()
        page = Client().get("/api/docs").content.decode()
        assert all(path in page for path in openapi_document()["paths"])
        problems = Client().get("/api/docs/problems").content.decode()
        assert 'id="insufficient_credits"' in problems

    def test_every_endpoint_says_what_it_does_and_who_may(self) -> None:
        for path, methods in openapi_document()["paths"].items():
            for method, details in methods.items():
                assert details.get("description"), f"{method} {path} has no docstring"
                assert "security" in details
                guarded = details["security"] and {} not in details["security"]
                assert not guarded or "401" in details["responses"], f"{method} {path}"
                staff = "x-permission" in details
                assert not staff or "403" in details["responses"], f"{method} {path}"
                assert "requestBody" not in details or "422" in details["responses"]

    def test_operation_ids_are_unique(self) -> None:
        ids = [
            details["operationId"]
            for methods in openapi_document()["paths"].values()
            for details in methods.values()
        ]
        assert len(ids) == len(set(ids))
        assert len(ids) < sum(1 for _ in endpoints())

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/api/nothing/here", 404, "not_found"),
            ("DELETE", "/api/credits/balance", 405, "method_not_allowed"),
        ],
    )
    def test_a_wrong_address_or_verb_is_a_problem_too(
        self, method: str, path: str, status: int, code: str
    ) -> None:
        answer = Client().generic(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
    @pytest.mark.parametrize(
        "path",
        [
            "/healthz",
            "/readyz",
            "/metrics",
            "/robots.txt",
            "/api/openapi.json",
            "/api/docs",
            "/api/docs/problems",
            "/files/x",
        ],
    )
    def test_what_only_reads_knows_no_other_verb(self, verb: str, path: str) -> None:
        answer = Client(enforce_csrf_checks=True).generic(verb, path)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
