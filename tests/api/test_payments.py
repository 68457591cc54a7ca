from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from house.people import ApiClient, client_for, make_user
from house.till import books_are_right, buy, checkout, deliver_and_settle, payment_of, press
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments.models import Payment, SandboxCheckout
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"


class TestPlans:
    def test_anyone_sees_the_packs(self) -> None:
        answer = ApiClient().get("/api/payments/plans")
        assert answer.status_code == 200
        packs = answer.json()["creditPacks"]
        assert [(pack["id"], pack["credits"], pack["price"]) for pack in packs] == [
            ("credits-50", 50, {"amount": 499, "currency": "USD"}),
            ("credits-200", 200, {"amount": 1499, "currency": "USD"}),
            ("credits-500", 500, {"amount": 2999, "currency": "USD"}),
        ]
        assert answer.json()["memberships"] == []


class TestCreateCheckout:
    def test_it_answers_with_the_order_and_the_page(self) -> None:
        client = client_for(make_user())
        started = checkout(client)
        order = client.get(f"/api/orders/{started['orderId']}").json()
        assert order["number"] == started["orderNumber"]
        assert (order["status"], order["total"]) == (
            "PENDING",
            {"amount": 499, "currency": "USD"},
        )
        assert started["checkoutUrl"].startswith("http://testserver/sandbox/pay/")

    def test_nobody_buys_unknown_or_unsigned(self) -> None:
        client = client_for(make_user())
        path = "/api/payments/create-checkout"
        refused(ApiClient().post(path, {"item": "credits-50"}), 401, "unauthenticated")
        refused(client.post(path, {"item": "credits-51"}), 422, "offer_not_found")
        refused(client.post(path, {}), 422, "validation_error")
        refused(client.post(path, {"item": "credits-50", "quantity": 0}), 422, "validation_error")
        refused(client.post(path, {"item": "credits-50", "price": 1}), 422, "validation_error")
        refused(
            client.post(path, {"item": "credits-50", "returnUrl": "https://evil.example"}),
            422,
            "validation_error",
        )
        refused(client.post(path, {"orderId": str(uuid.uuid4())}), 404, "order_not_found")
        assert not Order.objects.exists()

    def test_the_same_key_gives_the_same_answer(self) -> None:
        client = client_for(make_user())
        headers = {"Idempotency-Key": "once"}
        first, second = (checkout(client, headers=headers) for _ in range(2))
        assert first == second
        answer = client.post(
            "/api/payments/create-checkout", {"item": "credits-500"}, headers=headers
        )
        refused(answer, 422, "idempotency_mismatch")
        assert Order.objects.count() == 1

    def test_a_quantity_multiplies_price_and_credits(self) -> None:
        user = make_user(credits=0)
        started = checkout(client_for(user), "credits-200", quantity=2)
        press(started)
        deliver_and_settle()
        assert balance_of(user.pk).balance == 400
        assert Order.objects.get().total == 2998


class TestIntents:
    def start(self, client: ApiClient) -> dict[str, Any]:
        answer = client.post("/api/payments/create-intent", {"item": "credits-50"})
        assert answer.status_code == 201
        return dict(answer.json())

    def confirm(self, client: ApiClient, payment_id: str, method: str) -> Any:
        body = {"paymentId": payment_id, "paymentMethod": method}
        return client.post("/api/payments/confirm", body)

    def test_a_card_that_works_pays_at_once(self) -> None:
        user = make_user()
        client = client_for(user)
        intent = self.start(client)
        assert intent["clientSecret"].startswith("sbx_")
        assert intent["amount"] == {"amount": 499, "currency": "USD"}
        answer = self.confirm(client, intent["paymentId"], "sandbox_card_ok")
        assert answer.json()["orderStatus"] == "FULFILLED"
        deliver_and_settle()
        assert self.confirm(client, intent["paymentId"], "sandbox_card_ok").status_code == 200
        assert balance_of(user.pk).balance == 60

    def test_a_declined_card_can_be_replaced(self) -> None:
        user = make_user()
        client = client_for(user)
        intent = self.start(client)
        answer = self.confirm(client, intent["paymentId"], "sandbox_card_declined")
        assert (answer.json()["status"], answer.json()["failure"]) == (
            "failed",
            "The card was declined.",
        )
        assert answer.json()["orderStatus"] == "PAYMENT_FAILED"
        answer = self.confirm(client, intent["paymentId"], "sandbox_card_ok")
        assert answer.json()["orderStatus"] == "FULFILLED"
        assert balance_of(user.pk).balance == 60

    def test_what_cannot_be_confirmed(self) -> None:
        client = client_for(make_user())
        intent = self.start(client)
        other = client_for(make_user())
        pid = intent["paymentId"]
        refused(self.confirm(other, pid, "sandbox_card_ok"), 404, "payment_not_found")
        refused(self.confirm(client, pid, "4242"), 409, "gateway_refused")
        page = checkout(client)["paymentId"]
        refused(self.confirm(client, page, "sandbox_card_ok"), 404, "payment_not_found")
        Payment.objects.filter(pk=pid).update(status="cancelled")
        refused(self.confirm(client, pid, "sandbox_card_ok"), 409, "payment_closed")


class TestRefund:
    def test_finance_refunds_by_order_or_payment(self) -> None:
        user = make_user(credits=0)
        order = buy(user)
        finance = client_for(make_user(role=Role.FINANCE))
        answer = finance.post(
            "/api/payments/refund", {"orderId": str(order.pk), "amount": 100, "reason": "Sorry"}
        )
        assert answer.status_code == 201
        body = answer.json()
        assert (body["status"], body["amount"]) == ("succeeded", {"amount": 100, "currency": "USD"})
        assert body["takenBack"] == [{"item": "credits-50", "due": 10, "taken": 10, "missing": 0}]
        amount = {"amount": 99, "currency": "USD"}
        answer = finance.post(
            "/api/payments/refund",
            {"paymentId": str(payment_of(order).pk), "amount": amount, "reason": "Sorry"},
        )
        assert answer.status_code == 201
        answer = finance.post(f"/api/orders/{order.pk}/refund", {"reason": "All of it"})
        assert answer.json()["amount"]["amount"] == 300
        assert balance_of(user.pk).balance == 0
        seen = client_for(user).get(f"/api/orders/{order.pk}").json()
        assert (seen["status"], seen["refunded"]["amount"]) == ("REFUNDED", 499)
        assert len(seen["payments"][0]["refunds"]) == 3

    def test_the_same_key_refunds_once(self) -> None:
        order = buy(make_user())
        finance = client_for(make_user(role=Role.FINANCE))
        body = {"orderId": str(order.pk), "amount": 100, "reason": "Sorry"}
        answers = [
            finance.post("/api/payments/refund", body, headers={"Idempotency-Key": "r"})
            for _ in range(2)
        ]
        assert answers[0].json() == answers[1].json()
        assert answers[1].headers["Idempotent-Replayed"] == "true"
        assert Order.objects.get().refunded == 100

    def test_one_that_failed_is_listed_and_asked_for_again(self) -> None:
        user = make_user(credits=0)
        order = buy(user)
        SandboxCheckout.objects.update(payment_method="sandbox_card_no_refunds")
        finance = client_for(make_user(role=Role.FINANCE))
        body = finance.post(f"/api/orders/{order.pk}/refund", {"reason": "Sorry"}).json()
        assert body["status"] == "failed" and body["failure"]
        listed = finance.get("/api/payments/refunds?status=failed").json()["items"]
        assert [(row["id"], row["failure"]) for row in listed] == [(body["id"], body["failure"])]
        path, key = f"/api/payments/refunds/{body['id']}/retry", {"Idempotency-Key": "again"}
        assert finance.post(path).json()["status"] == "failed"
        SandboxCheckout.objects.update(payment_method="sandbox_card_ok")
        answers = [finance.post(path, headers=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json()["status"] == "succeeded" == answers[1].json()["status"]
        assert answers[1].headers["Idempotent-Replayed"] == "true"
        refused(finance.post(path), 409, "nothing_to_refund")
        assert balance_of(user.pk).balance == 0 and books_are_right()
        assert AuditEntry.objects.filter(action="payments.refund_retry").count() == 2
        assert finance.get("/api/payments/refunds?status=failed").json()["items"] == []
        (row,) = finance.get("/api/payments/refunds").json()["items"]
        assert row["takenBack"] == [{"item": "credits-50", "due": 50, "taken": 50, "missing": 0}]

    def test_who_may_ask_again(self) -> None:
        nobody = f"/api/payments/refunds/{uuid.uuid4()}/retry"
        refused(client_for(make_user(role=Role.LOGISTICS)).post(nobody), 403, "forbidden")
        refused(client_for(make_user(role=Role.FINANCE)).post(nobody), 404, "refund_not_found")

    def test_who_and_what_is_refused(self) -> None:
        user = make_user()
        order = buy(user)
        path, body = "/api/payments/refund", {"orderId": str(order.pk), "reason": "x"}
        for role in (Role.CUSTOMER, Role.VENDOR, Role.LOGISTICS):
            refused(client_for(make_user(role=role)).post(path, body), 403, "forbidden")
        refused(client_for(user).post(f"/api/orders/{order.pk}/refund", body), 403, "forbidden")
        admin = client_for(make_user(role=Role.ADMIN))
        refused(admin.post(path, {**body, "reason": ""}), 422, "validation_error")
        refused(admin.post(path, {"reason": "x"}), 422, "validation_error")
        refused(admin.post(path, {**body, "amount": 500}), 422, "refund_too_large")
        euros = {"amount": 1, "currency": "EUR"}
        refused(admin.post(path, {**body, "amount": euros}), 422, "validation_error")
        nobody = str(uuid.uuid4())
        refused(admin.post(path, {"orderId": nobody, "reason": "x"}), 404, "order_not_found")
        refused(admin.post(path, {"paymentId": nobody, "reason": "x"}), 404, "payment_not_found")


class TestReading:
    def test_everyone_sees_their_own_and_finance_sees_all(self) -> None:
        one, two = make_user(), make_user()
        buy(one)
        buy(two)
        path = "/api/payments/transactions"
        own = client_for(one).get(path).json()["items"]
        assert [item["amount"]["amount"] for item in own] == [499]
        finance = client_for(make_user(role=Role.FINANCE))
        assert len(finance.get(path).json()["items"]) == 2
        assert len(finance.get(f"{path}?userId={two.pk}&status=succeeded").json()["items"]) == 1
        assert finance.get(f"{path}?currency=EUR").json()["items"] == []
        page = finance.get(f"{path}?limit=1").json()
        rest = finance.get(f"{path}?limit=1&cursor={page['nextCursor']}").json()
        assert page["items"][0]["id"] != rest["items"][0]["id"]

    def test_a_payment_of_another_person_is_not_there(self) -> None:
        user = make_user()
        payment = payment_of(buy(user))
        path = f"/api/payments/{payment.pk}"
        assert client_for(user).get(path).json()["orderStatus"] == "FULFILLED"
        refused(client_for(make_user()).get(path), 404, "payment_not_found")
        assert client_for(make_user(role=Role.ADMIN)).get(path).status_code == 200


class TestPayPage:
    def path(self) -> str:
        started = checkout(client_for(make_user()))
        return started["checkoutUrl"].removeprefix("http://testserver")

    def test_the_page_shows_the_amount_and_needs_no_cookie(self) -> None:
        path = self.path()
        browser = Client(enforce_csrf_checks=True)
        page = browser.get(path)
        assert "$4.99" in page.content.decode()
        answer = browser.post(f"{path}/pay", {"outcome": "paid", "card": "4242"})
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith("/return")
        assert not browser.cookies
        assert "This payment is made." in browser.get(path).content.decode()

    def test_a_closed_payment_cannot_be_paid(self) -> None:
        path = self.path()
        assert Client().post(f"{path}/pay", {"outcome": "abandoned"}).status_code == 303
        answer = Client().post(f"{path}/pay", {"outcome": "paid"}, "application/json")
        refused(answer, 409, "gateway_refused")
        assert "closed" in Client().get(path).content.decode()

    @pytest.mark.parametrize(
        "body",
        [
            {"outcome": "stolen"},
            {},
            {"outcome": "paid", "deliveries": 0},
            {"outcome": "paid", "delaySeconds": -1},
            [],
        ],
    )
    def test_what_no_button_sends_is_refused(self, body: Any) -> None:
        answer = Client().post(f"{self.path()}/pay", body, "application/json")
        refused(answer, 422, "validation_error")

    def test_an_unknown_page_or_broken_body_is_refused(self) -> None:
        answer = Client().post(f"{self.path()}/pay", "{", "application/json")
        refused(answer, 422, "validation_error")
        answer = Client().post("/sandbox/pay/none/pay", {"outcome": "paid"}, "application/json")
        refused(answer, 404, "payment_not_found")

    def test_a_card_can_be_named(self) -> None:
        path = self.path()
        body = {"outcome": "paid", "paymentMethod": "sandbox_card_no_refunds", "duplicate": True}
        assert Client().post(f"{path}/pay", body, "application/json").json()["status"] == "paid"
        assert SandboxCheckout.objects.get().payment_method == "sandbox_card_no_refunds"
        answer = Client().post(
            f"{path}/pay", {"outcome": "paid", "paymentMethod": "visa"}, "application/json"
        )
        refused(answer, 409, "gateway_refused")
