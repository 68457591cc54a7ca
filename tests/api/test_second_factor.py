from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from house.parallel import together
from house.people import PASSWORD, ApiClient, client_for, make_user, page_client
from house.second_factor import code_for, turn_on
from markethall.foundation.accounts import limits, second_factor
from markethall.foundation.accounts.errors import WrongCode
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.tokens import issue_token
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.queries import outbox
from markethall.kernel.throttle import Limit

ADA = {"email": "ada@example.com", "password": PASSWORD}
PATH = "/api/auth/second-factor"


@pytest.fixture
def ada(db: None) -> User:
    return make_user(email="ada@example.com")


def login(**more: Any) -> Any:
    return ApiClient().post("/api/auth/login", {**ADA, **more})


class TestByApi:
    def test_set_up_sign_in_and_turn_off(self, ada: User) -> None:
        api = client_for(ada)
        assert api.get(PATH).json() == {"enabled": False, "recoveryCodesLeft": 0}
        setup = api.post(PATH).json()
        url = urlsplit(setup["otpauthUrl"])
        assert (url.scheme, url.netloc, url.path) == ("otpauth", "totp", "/ada%40example.com")
        assert parse_qs(url.query) == {"secret": [setup["secret"]], "issuer": ["Markethall"]}
        assert login().status_code == 200  # nothing is on before the first code

        token, secret = setup["setupToken"], setup["secret"]
        wrong = api.post(f"{PATH}/confirm", {"setupToken": token, "code": "000000"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "second_factor_invalid")
        first = code_for(secret)
        confirmed = api.post(f"{PATH}/confirm", {"setupToken": token, "code": first})
        codes = confirmed.json()["recoveryCodes"]
        assert confirmed.status_code == 200 and len(set(codes)) == 10
        assert api.get(PATH).json() == {"enabled": True, "recoveryCodesLeft": 10}

        asked = login()
        assert (asked.status_code, asked.json()["code"]) == (401, "second_factor_required")
        assert "token" not in asked.json()
        assert login(code="000000").json()["code"] == "second_factor_invalid"
        assert login(code=first).status_code == 401  # the code that confirmed it is used
        fresh = code_for(secret, 1)
        assert login(code=f"{fresh[:3]} {fresh[3:]}").status_code == 200
        assert login(code=fresh).status_code == 401  # and so is this one

        assert login(code=codes[0]).status_code == 200
        assert login(code=codes[0]).status_code == 401
        assert api.get(PATH).json()["recoveryCodesLeft"] == 9

        assert api.delete(PATH, {"password": "not-hers"}).json()["code"] == "wrong_password"
        assert api.delete(PATH, {"password": PASSWORD}).status_code == 204
        assert login().status_code == 200
        assert not Authenticator.objects.exists()
        acts = AuditEntry.objects.filter(action__contains="second_factor").order_by("id")
        assert list(dict.fromkeys(act.action for act in acts)) == [
            "auth.second_factor_on",
            "auth.second_factor_failed",
            "auth.second_factor_off",
        ]
        assert [mail.subject for mail in outbox(ada.email)] == [
            "Your second factor is off",
            "Your second factor is on",
        ]

    def test_new_recovery_codes_end_the_old_ones(self, ada: User) -> None:
        turn_on(ada)
        api = client_for(ada)
        old, new = (
            api.post(f"{PATH}/recovery-codes", {"password": PASSWORD}).json()["recoveryCodes"]
            for _ in range(2)
        )
        assert login(code=old[0]).status_code == 401
        assert login(code=new[0]).status_code == 200

    def test_the_wrong_password_tells_nothing_of_the_second_factor(self, ada: User) -> None:
        secret = turn_on(ada)
        wrong = login(password="not-hers-at-all", code=code_for(secret))
        assert wrong.json()["code"] == "invalid_credentials"

    def test_ten_wrong_codes_lock_it(self, ada: User) -> None:
        secret = turn_on(ada)
        answers = [login(code=f"{number:06d}").status_code for number in range(10)]
        assert answers.count(429) <= 1  # confirming it counted once
        locked = login(code=code_for(secret))
        assert locked.status_code == 429 and int(locked.headers["Retry-After"]) > 0

    def test_it_cannot_be_set_up_twice_or_with_anothers_token(self, ada: User) -> None:
        grace = client_for(make_user())
        setup = client_for(ada).post(PATH).json()
        body = {"setupToken": setup["setupToken"], "code": code_for(setup["secret"])}
        assert grace.post(f"{PATH}/confirm", body).status_code == 409
        assert client_for(ada).post(f"{PATH}/confirm", body).status_code == 200
        assert client_for(ada).post(PATH).status_code == 409
        body["code"] = code_for(setup["secret"], 1)
        assert client_for(ada).post(f"{PATH}/confirm", body).status_code == 409
        assert (
            client_for(ada).post(f"{PATH}/confirm", {"setupToken": "x", "code": "1"}).status_code
            == 409
        )

    def test_an_api_key_cannot_begin_it(self, ada: User) -> None:
        key = ApiClient(issue_token(ada, Token.Kind.API_KEY)[1])
        assert key.post(PATH).status_code == 403

    def test_it_is_for_signed_in_people(self, db: None) -> None:
        assert ApiClient().get(PATH).status_code == 401
        assert ApiClient().post(PATH).status_code == 401
        assert ApiClient().delete(PATH, {"password": "x"}).status_code == 401

    def test_the_secret_is_encrypted_at_rest(self, ada: User) -> None:
        secret = turn_on(ada)
        assert secret not in str(Authenticator.objects.values_list("data", flat=True))

    def test_it_is_counted_by_address(
        self, ada: User, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        turn_on(ada)
        settings.AUTH_LIMIT_FACTOR = 1
        one = Limit(1, timedelta(hours=1))
        monkeypatch.setitem(
            limits.LIMITS, "second_factor", limits.ActLimits(one, Limit(9, one.per))
        )
        assert [login(code="1").status_code for _ in range(2)][-1] == 429


@pytest.mark.django_db(transaction=True)
def test_of_two_sign_ins_with_one_code_at_once_one_wins() -> None:
    user = make_user()
    code = code_for(turn_on(user))
    results = together([lambda: second_factor.check(user=user, code=code)] * 6)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, WrongCode) for result in results) == 5


class TestByPage:
    def test_set_up_sign_in_and_turn_off(self, ada: User) -> None:
        browser = page_client(ada)
        page = browser.post("/second-factor")
        setup = page.context["setup"]
        body = page.content.decode()
        assert "<svg" in body and "style=" not in body and setup.secret in body
        wrong = browser.post("/second-factor/confirm", {"setup": setup.token, "code": "000000"})
        assert wrong.status_code == 401 and setup.secret in wrong.content.decode()
        used = code_for(setup.secret)
        done = browser.post("/second-factor/confirm", {"setup": setup.token, "code": used})
        codes = done.context["codes"]
        assert all(code in done.content.decode() for code in codes)
        assert "no-store" in done.headers["Cache-Control"]

        visitor = Client()
        step = visitor.post("/login", {**ADA, "next": "/plushify/gallery"})
        assert step.headers["Location"] == "/login/code"
        assert visitor.get("/api/auth/session").json()["user"] is None
        assert visitor.get("/login/code").status_code == 200
        wrong = visitor.post("/login/code", {"code": used})
        assert wrong.status_code == 401 and "used or too old" in wrong.content.decode()
        entered = visitor.post("/login/code", {"code": codes[0]})
        assert entered.headers["Location"] == "/plushify/gallery"
        assert visitor.get("/api/auth/session").json()["user"]["email"] == ada.email

        assert browser.post("/second-factor/off", {"password": "no"}).status_code == 422
        renewed = browser.post("/second-factor/codes", {"password": PASSWORD})
        assert renewed.status_code == 200 and renewed.context["codes"] != codes
        assert browser.post("/second-factor/off", {"password": PASSWORD}).status_code == 302
        assert not second_factor.is_on(ada)

    def test_the_step_alone_leads_to_the_sign_in(self, db: None) -> None:
        assert Client().get("/login/code").headers["Location"] == "/login"
        assert Client().post("/login/code", {"code": "1"}).headers["Location"] == "/login"
