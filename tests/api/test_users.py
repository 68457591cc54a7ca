"""Other people's accounts, by staff."""

from __future__ import annotations

import uuid

import pytest

from house.parallel import together
from house.people import ApiClient, client_for, make_user, page_client
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.queries import balance_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return make_user(role="super_admin", email="boss@example.com")


@pytest.fixture
def admin() -> User:
    return make_user(role="admin", email="admin@example.com")


@pytest.fixture
def api(admin: User) -> ApiClient:
    return client_for(admin)


class TestSearch:
    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("LOVELACE", ["ada.lovelace@example.org"]),
            ("ace@example.org", ["ada.lovelace@example.org"]),
            ("lo", ["ada.lovelace@example.org"]),
            ("%", []),
            ("nobody-of-that-name", []),
        ],
    )
    def test_finds_by_part_of_the_address(
        self, api: ApiClient, search: str, found: list[str]
    ) -> None:
        make_user(email="Ada.Lovelace@example.org")
        make_user(email="grace@example.net")
        answer = api.get("/api/users", {"search": search})
        assert [user["email"] for user in answer.json()["items"]] == found

    def test_pages_and_filters(self, api: ApiClient) -> None:
        made = [make_user(role="vendor").email for _ in range(5)]
        first = api.get("/api/users", {"role": "vendor", "limit": 3}).json()
        rest = api.get(
            "/api/users", {"role": "vendor", "limit": 3, "cursor": first["nextCursor"]}
        ).json()
        seen = [user["email"] for user in first["items"] + rest["items"]]
        assert seen == made[::-1]
        assert rest["nextCursor"] is None

    def test_costs_the_same_queries_for_many(
        self, api: ApiClient, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(12):
            make_user()
        with django_assert_max_num_queries(6):  # type: ignore[operator]
            assert len(api.get("/api/users").json()["items"]) == 13


class TestCredits:
    def test_adds_and_removes_with_a_reason(self, api: ApiClient, admin: User) -> None:
        user = make_user(credits=9)
        answer = api.post(
            f"/api/users/{user.pk}/credits", {"amount": -5, "reason": "Double purchase"}
        )
        assert (answer.status_code, answer.json()) == (200, {"balance": 4})
        answer = api.post(f"/api/users/{user.pk}/credits", {"amount": -7, "reason": "Fraud"})
        assert answer.json() == {"balance": -3}
        row = client_for(user).get("/api/credits/history").json()["items"][0]
        assert (row["type"], row["amount"], row["balance"]) == ("admin", -7, -3)
        assert row["metadata"]["reason"] == "Fraud"
        entry = AuditEntry.objects.filter(action="credits.correct").order_by("pk").first()
        assert entry is not None
        assert (entry.actor_id, entry.subject_id) == (admin.pk, str(user.pk))
        assert entry.data == {"amount": -5, "balance": 4, "reason": "Double purchase"}

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"amount": 0, "reason": "x"}, "amount"),
            ({"amount": 5}, "reason"),
            ({"amount": 5, "reason": "   "}, "reason"),
            ({"amount": 1.5, "reason": "x"}, "amount"),
            ({"amount": 10**9, "reason": "x"}, "amount"),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, api: ApiClient, body: dict[str, object], path: str
    ) -> None:
        user = make_user()
        answer = api.post(f"/api/users/{user.pk}/credits", body)
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
        assert balance_of(user.pk).balance == 10

    def test_the_same_key_corrects_once(self, api: ApiClient) -> None:
        user, body = make_user(), {"amount": 5, "reason": "Sorry"}
        path, headers = f"/api/users/{user.pk}/credits", {"Idempotency-Key": "one"}
        answers = [api.post(path, body, headers=headers) for _ in range(2)]
        assert [answer.json() for answer in answers] == [{"balance": 15}] * 2
        answer = api.post(path, {**body, "amount": 6}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")

    def test_nobody_is_there(self, api: ApiClient) -> None:
        answer = api.post(f"/api/users/{uuid.uuid4()}/credits", {"amount": 5, "reason": "Sorry"})
        assert answer.status_code == 404

    @pytest.mark.django_db(transaction=True)
    def test_corrections_at_once_all_count(self, api: ApiClient) -> None:
        user = make_user(credits=10)

        def correct() -> int:
            body = {"amount": -2, "reason": "At once"}
            return int(api.post(f"/api/users/{user.pk}/credits", body).status_code)

        assert together([correct] * 10) == [200] * 10
        assert balance_of(user.pk).balance == -10


class TestChanges:
    def test_a_super_admin_gives_roles_and_it_is_on_record(self, boss: User) -> None:
        user = make_user()
        answer = client_for(boss).put(f"/api/users/{user.pk}", {"role": "finance"})
        assert answer.json()["role"] == "finance"
        entry = AuditEntry.objects.get(action="user.role_change", subject_id=str(user.pk))
        assert (entry.data["before"], entry.data["after"]) == ("customer", "finance")

    def test_an_admin_gives_none(self, api: ApiClient, admin: User) -> None:
        user = make_user()
        for somebody in (user, admin):
            answer = api.put(f"/api/users/{somebody.pk}", {"role": "super_admin"})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    @pytest.mark.django_db(transaction=True)
    def test_an_admin_does_not_reach_a_super_admin(self, api: ApiClient, boss: User) -> None:
        assert api.put(f"/api/users/{boss.pk}", {"isActive": False}).status_code == 403
        assert api.put(f"/api/users/{boss.pk}/profile", {"name": "X"}).status_code == 403
        assert api.delete(f"/api/users/{boss.pk}").status_code == 403

    def test_nobody_changes_their_own_role(self, boss: User) -> None:
        make_user(role="super_admin")
        answer = client_for(boss).put(f"/api/users/{boss.pk}", {"role": "admin"})
        assert answer.status_code == 403

    @pytest.mark.django_db(transaction=True)
    def test_the_last_super_admin_is_not_locked_out(self, boss: User) -> None:
        other = make_user(role="super_admin")
        assert (
            client_for(boss).put(f"/api/users/{other.pk}", {"isActive": False}).status_code == 200
        )
        answer = client_for(boss).delete(f"/api/users/{boss.pk}")
        assert (answer.status_code, answer.json()["code"]) == (409, "last_super_admin")

    @pytest.mark.django_db(transaction=True)
    def test_two_super_admins_cannot_lock_each_other_out(self) -> None:
        one, two = make_user(role="super_admin"), make_user(role="super_admin")

        def block(actor: User, target: User) -> int:
            path = f"/api/users/{target.pk}"
            return int(client_for(actor).put(path, {"isActive": False}).status_code)

        together([lambda: block(one, two), lambda: block(two, one)] * 3)
        assert User.objects.filter(role="super_admin", is_active=True).count() >= 1

    def test_a_blocked_person_is_out_at_once(self, api: ApiClient) -> None:
        user = make_user()
        theirs, browser = client_for(user), page_client(user)
        assert api.put(f"/api/users/{user.pk}", {"isActive": False}).json()["isActive"] is False
        assert theirs.get("/api/user/profile").status_code == 401
        assert browser.get("/api/user/profile").status_code == 401
        api.put(f"/api/users/{user.pk}", {"isActive": True})
        acts = AuditEntry.objects.filter(subject_id=str(user.pk)).order_by("pk")
        assert [entry.action for entry in acts] == ["user.block", "user.unblock"]

    @pytest.mark.django_db(transaction=True)
    def test_staff_erases_somebody_at_their_wish(self, api: ApiClient) -> None:
        user = make_user()
        email = user.email
        assert api.delete(f"/api/users/{user.pk}").json() == {"status": "erased"}
        assert api.get(f"/api/users/{user.pk}").status_code == 404
        assert api.get("/api/users", {"search": email}).json()["items"] == []


class TestOnePerson:
    def test_everything_about_a_person(self, api: ApiClient) -> None:
        user = make_user(name="Grace", credits=7)
        shown = api.get(f"/api/users/{user.pk}").json()
        assert (shown["name"], shown["balance"], shown["emailVerified"]) == ("Grace", 7, True)
        assert api.get(f"/api/users/{user.pk}/profile").json()["email"] == user.email
        assert api.get(f"/api/users/{user.pk}/orders").json()["items"] == []
        rows = api.get(f"/api/users/{user.pk}/transactions").json()["items"]
        assert [row["amount"] for row in rows] == [7]
        figures = api.get(f"/api/users/{user.pk}/analytics").json()
        assert figures["creditsByType"] == {"bonus": 7}
