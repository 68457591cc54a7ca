from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password
from django.core import signing

from house.parallel import together
from house.people import PASSWORD, make_user
from markethall.foundation.accounts import actions, by_provider, limits
from markethall.foundation.accounts.errors import LinkInvalid
from markethall.foundation.accounts.events import EmailVerified, UserRegistered
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.queries import is_verified, user_by_email, verified_among
from markethall.foundation.audit.actions import current_ip
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.queries import outbox
from markethall.kernel import events
from markethall.kernel.errors import TooManyRequests
from markethall.kernel.throttle import Limit

ADA = "ada@example.com"
_ONE = Limit(1, timedelta(hours=1))
_MANY = Limit(1000, timedelta(hours=1))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[events.Event]:
    """The events of accounts, as they are published."""
    heard: list[events.Event] = []
    for kind in (UserRegistered, EmailVerified):
        monkeypatch.setitem(events._table, kind, (heard.append,))
    return heard


def key_of(user: User) -> str:
    return actions.verification_link(EmailAddress.objects.get(user=user)).rsplit("/", 1)[1]


@pytest.mark.django_db
class TestRegistration:
    def test_is_told_once_and_so_is_verification(self, told: list[events.Event]) -> None:
        user = actions.register(email=" Ada@Example.COM ", password=PASSWORD, name=" Ada ")
        assert (user.email, user.name) == (ADA, "Ada")
        assert told == [UserRegistered(user.pk)]
        for _ in range(2):
            actions.verify_email(key=key_of(user))
        assert told == [UserRegistered(user.pk), EmailVerified(user.pk)]
        assert [mail.template for mail in outbox(ADA)] == ["welcome", "verify_email"]

    def test_of_a_known_address_nothing_is_told(self, told: list[events.Event]) -> None:
        user = make_user(email=ADA)
        phantom = actions.register(email="ADA@example.com", password="quite-another-one")
        assert told == [] and phantom.pk != user.pk
        assert not User.objects.filter(pk=phantom.pk).exists()
        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_a_closed_account_gets_no_mail(self) -> None:
        user = make_user(email=ADA)
        User.objects.filter(pk=user.pk).update(is_active=False)
        actions.register(email=ADA, password=PASSWORD)
        assert not outbox(ADA).exists()

    def test_the_password_is_kept_as_bcrypt(self) -> None:
        user = actions.register(email=ADA, password=PASSWORD)
        assert user.password.startswith("bcrypt_sha256$")
        assert check_password(PASSWORD, user.password)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_ten_registrations_of_one_address_one_opens_an_account(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(limits.LIMITS, "register", limits.ActLimits(_MANY, _MANY))
        acts = [lambda: actions.register(email=ADA, password=PASSWORD)] * 10
        results = together(acts)
        assert all(isinstance(result, User) for result in results), results
        assert User.objects.count() == EmailAddress.objects.count() == 1
        assert sum(User.objects.filter(pk=user.pk).exists() for user in results) == 1
        templates = sorted(mail.template for mail in outbox(ADA))
        assert templates == ["account_exists"] * 9 + ["verify_email"]

    def test_of_ten_resets_with_one_link_one_counts(self) -> None:
        user = make_user(email=ADA)
        token = actions.reset_link(user).rsplit("/", 1)[1]

        def reset(number: int) -> User:
            return actions.reset_password(token=token, password=f"brand-new-secret-{number}")

        results = together([lambda n=n: reset(n) for n in range(10)])
        assert sum(isinstance(result, User) for result in results) == 1
        assert sum(isinstance(result, LinkInvalid) for result in results) == 9
        user.refresh_from_db()
        winner = next(n for n, result in enumerate(results) if isinstance(result, User))
        assert user.check_password(f"brand-new-secret-{winner}")

    def test_of_ten_openings_of_the_link_one_is_told(self) -> None:
        user = actions.register(email=ADA, password=PASSWORD)
        key = key_of(user)
        results = together([lambda: actions.verify_email(key=key)] * 10)
        assert {user.pk for user in results if isinstance(user, User)} == {user.pk}
        assert AuditEntry.objects.filter(action="auth.verify").count() == 1


@pytest.mark.django_db
class TestLinks:
    def test_a_verification_link_is_good_for_three_days(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = make_user(email=ADA, verified=False)
        key = key_of(user)
        monkeypatch.setattr(actions, "VERIFICATION_LASTS", -1)
        with pytest.raises(LinkInvalid):
            actions.verify_email(key=key)
        assert not is_verified(user)

    def test_a_sign_in_ends_a_reset_link(self) -> None:
        user = make_user(email=ADA)
        token = actions.reset_link(user).rsplit("/", 1)[1]
        assert actions.user_of_reset(token) == user
        User.objects.filter(pk=user.pk).update(last_login="2026-01-01T00:00Z")
        with pytest.raises(LinkInvalid):
            actions.user_of_reset(token)

    def test_a_link_of_another_purpose_verifies_nothing(self) -> None:
        address = EmailAddress.objects.get(user=make_user(verified=False))
        with pytest.raises(LinkInvalid):
            actions.verify_email(key=signing.dumps(address.pk, salt="another"))


@pytest.mark.django_db
class TestQueries:
    def test_who_is_verified(self) -> None:
        one, two = make_user(), make_user(verified=False)
        assert verified_among([one.pk, two.pk]) == {one.pk}
        assert is_verified(one) and not is_verified(two)
        assert user_by_email(f"  {one.email.upper()} ") == one
        assert user_by_email("nobody@example.com") is None


@pytest.mark.django_db
class TestByProvider:
    def test_claiming_a_verified_account_changes_nothing(self) -> None:
        user = make_user(name="Ada")
        assert by_provider.claim(user=user, name="Eve").name == "Ada"
        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            ({"name": "Ada Lovelace"}, "Ada Lovelace"),
            ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
            ({"name": None, "last_name": "Lovelace"}, "Lovelace"),
            ({"name": "A\x00da\n"}, "A da"),
            ({"name": "x" * 300}, "x" * 150),
            ({}, ""),
        ],
    )
    def test_names_are_cleaned(self, data: dict[str, str], name: str) -> None:
        assert by_provider.clean_name(data) == name

    def test_the_best_address_is_verified_and_then_the_main_one(self) -> None:
        side = EmailAddress(email="side@example.com", verified=True, primary=False)
        main = EmailAddress(email="main@example.com", verified=True, primary=True)
        lie = EmailAddress(email="lie@example.com", verified=False, primary=True)
        assert by_provider.best_address([lie, side, main]) is main
        assert by_provider.best_address([lie, side]) is side
        assert by_provider.best_address([lie]) is None


@pytest.mark.django_db
class TestLimits:
    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::2", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            (None, "not an address", True),
        ],
    )
    def test_one_caller_is_an_address_or_a_64(
        self, one: str | None, other: str, same: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(limits.LIMITS, "verify", limits.ActLimits(_ONE))
        monkeypatch.setattr("django.conf.settings.AUTH_LIMIT_FACTOR", 1)
        for address in (one, other):
            token = current_ip.set(address)
            try:
                limits.count_by_address("verify")
                refused = False
            except TooManyRequests:
                refused = True
            finally:
                current_ip.reset(token)
        assert refused == same

    def test_an_account_is_counted_in_whatever_case_it_is_written(self) -> None:
        buckets = {limits.bucket("login", each) for each in (ADA, "ADA@Example.com ")}
        assert len(buckets) == 1 and len(buckets.pop()) <= 200
        assert limits.bucket("login", uuid.uuid4()) != limits.bucket("login", ADA)

    def test_wrong_passwords_are_few_whatever_the_sandbox(self) -> None:
        assert limits.LIMITS["login"].by_account == Limit(10, timedelta(minutes=15))
        assert all(each.by_address.count >= 30 for each in limits.LIMITS.values())
