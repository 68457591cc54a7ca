from __future__ import annotations

import uuid

import pytest

from house.jobs import run_jobs
from house.people import ApiClient, client_for, make_user, page_client
from house.till import buy, checkout, deliver_and_settle, press
from markethall.flows.receipts import issue_receipt
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.models import Mail, MailStatus
from markethall.trade.orders.models import Order, OrderStatus

pytestmark = pytest.mark.usefixtures("till")


def order_of(client: ApiClient, *items: str) -> str:
    lines = [{"item": item} for item in items or ("credits-50",)]
    answer = client.post("/api/orders", {"lines": lines})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


@pytest.mark.django_db
class TestOrders:
    def test_an_order_is_placed_first_and_paid_later(self) -> None:
        client = client_for(make_user())
        order_id = order_of(client, "credits-50", "credits-200")
        order = client.get(f"/api/orders/{order_id}").json()
        assert order["total"] == {"amount": 1998, "currency": "USD"}
        assert order["payments"] == []
        items = client.get(f"/api/orders/{order_id}/items").json()["items"]
        assert [(item["kind"], item["quantity"]) for item in items] == [("credits", 1)] * 2
        started = client.post("/api/payments/create-checkout", {"orderId": order_id}).json()
        press(started)
        deliver_and_settle()
        order = client.get(f"/api/orders/{order_id}").json()
        assert order["status"] == "FULFILLED"
        assert [step["to"] for step in order["timeline"]] == ["PENDING", "PAID", "FULFILLED"]
        assert client.get("/api/credits/balance").json()["balance"] == 260

    def test_an_order_needs_lines(self) -> None:
        client = client_for(make_user())
        for lines in ([], [{"item": "nothing"}], [{"item": "credits-50", "quantity": 101}]):
            assert client.post("/api/orders", {"lines": lines}).status_code == 422

    def test_who_sees_what(self) -> None:
        one, two = make_user(), make_user()
        order_id = order_of(client_for(one))
        order_of(client_for(two))
        for path in ("", "/items", "/receipt"):
            answer = client_for(two).get(f"/api/orders/{order_id}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")
        assert client_for(two).post(f"/api/orders/{order_id}/cancel").status_code == 404
        assert client_for(two).delete(f"/api/orders/{order_id}").status_code == 404
        assert len(client_for(one).get("/api/orders").json()["items"]) == 1
        for role in (Role.LOGISTICS, Role.FINANCE, Role.ADMIN):
            staff = client_for(make_user(role=role))
            assert len(staff.get("/api/orders").json()["items"]) == 2
            assert staff.get(f"/api/orders/{order_id}").status_code == 200
        assert client_for(make_user(role=Role.VENDOR)).get("/api/orders").json()["items"] == []

    def test_staff_filter(self) -> None:
        user = make_user(email="needle@example.com")
        order = buy(user)
        buy(make_user(), outcome="declined")
        staff = client_for(make_user(role=Role.ADMIN))
        for query in (
            "status=fulfilled",
            f"q={order.number.lower()}",
            "q=needle@",
            "status=FULFILLED&storefront=plushify",
        ):
            found = staff.get(f"/api/orders?{query}").json()["items"]
            assert [item["id"] for item in found] == [str(order.pk)], query

    def test_a_list_takes_as_many_queries_as_ever(
        self, django_assert_max_num_queries: object
    ) -> None:
        user = make_user()
        client = client_for(user)
        for _ in range(3):
            order_of(client)
        with django_assert_max_num_queries(6):  # type: ignore[operator]
            assert len(client.get("/api/orders").json()["items"]) == 3

    def test_cancelling(self) -> None:
        client = client_for(make_user())
        for cancel in (
            lambda path: client.post(f"{path}/cancel", {"reason": "No more"}),
            lambda path: client.post(f"{path}/cancel"),
            client.delete,
        ):
            path = f"/api/orders/{order_of(client)}"
            assert cancel(path).json()["status"] == "CANCELLED"
            again = cancel(path)
            assert (again.status_code, again.json()["code"]) == (409, "move_not_allowed")

    def test_staff_cancel_for_others_only_with_the_right(self) -> None:
        path = f"/api/orders/{order_of(client_for(make_user()))}"
        assert client_for(make_user(role=Role.LOGISTICS)).delete(path).status_code == 403
        assert client_for(make_user(role=Role.ADMIN)).delete(path).status_code == 200

    def test_staff_note_and_move_by_hand(self) -> None:
        order = buy(make_user())
        admin = client_for(make_user(role=Role.ADMIN))
        path = f"/api/orders/{order.pk}"
        assert admin.put(path, {"note": "Called them"}).json()["timeline"][-1]["note"] == (
            "Called them"
        )
        for status in ("PAID", "REFUNDED", "CANCELLED", "SHIPPED", "DELIVERED"):
            assert admin.put(path, {"status": status}).status_code == 409
        order.lines.update(kind="goods")
        assert admin.put(path, {"status": "DELIVERED"}).status_code == 409
        assert admin.put(path, {"status": "SHIPPED", "note": "By post"}).status_code == 200
        assert admin.put(path, {"status": "DELIVERED"}).json()["status"] == "DELIVERED"
        assert admin.put(path, {}).status_code == 422
        assert admin.put(f"/api/orders/{uuid.uuid4()}", {"note": "x"}).status_code == 404
        assert AuditEntry.objects.filter(action="orders.change").count() == 3
        pending = order_of(client_for(make_user()))
        answer = admin.put(f"/api/orders/{pending}", {"status": "CANCELLED"})
        assert answer.json()["status"] == "CANCELLED"


@pytest.mark.django_db
class TestReceipts:
    def test_a_paid_order_has_one(self) -> None:
        user = make_user(name="Łukasz Żółć Ωμέγα Дмитрий")
        order = buy(user)
        for client, path in (
            (client_for(user), f"/api/orders/{order.pk}/receipt"),
            (page_client(user), f"/orders/{order.pk}/receipt"),
        ):
            answer = client.get(path)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == "application/pdf"
            assert answer.content.startswith(b"%PDF")
        order.refresh_from_db()
        assert order.receipt.owner_id == user.pk
        assert issue_receipt(order.pk) == order.receipt
        assert Mail.objects.filter(template="order_receipt").count() == 1

    def test_one_that_is_not_paid_has_none(self) -> None:
        client = client_for(make_user())
        answer = client.get(f"/api/orders/{order_of(client)}/receipt")
        assert (answer.status_code, answer.json()["code"]) == (409, "order_not_paid")


@pytest.mark.django_db(transaction=True)
def test_the_receipt_is_mailed_as_a_pdf(
    transactional_db: None, settings: object, mailoutbox: list[object]
) -> None:
    user = make_user()
    order = buy(user)
    run_jobs()
    run_jobs()
    mail = Mail.objects.get(template="order_receipt")
    assert mail.status == MailStatus.SENT
    assert order.number in mail.subject
    assert "$4.99" in mail.text
    (sent,) = [message for message in mailoutbox if order.number in message.subject]
    ((name, content, kind),) = sent.attachments
    assert (name, kind) == ("receipt.pdf", "application/pdf")
    assert content.startswith(b"%PDF")


@pytest.mark.django_db
class TestPages:
    def test_the_return_page_follows_the_order(self) -> None:
        user = make_user()
        started = checkout(client_for(user))
        order = Order.objects.get()
        browser = page_client(user)
        page = browser.get(f"/orders/{order.pk}/return").content.decode()
        assert f'data-live-topic="order:{order.pk}"' in page
        assert "data-live-pending" in page
        press(started, "declined")
        deliver_and_settle()
        part = browser.get(f"/orders/{order.pk}/status").content.decode()
        assert "The card was declined." in part
        answer = browser.post(f"/orders/{order.pk}/pay")
        assert answer.status_code == 303
        press({"checkoutUrl": answer.headers["Location"]})
        deliver_and_settle()
        answer = browser.get(f"/orders/{order.pk}/status")
        part = answer.content.decode()
        assert "Your payment is confirmed" in part
        assert '"balance": 60' in answer.headers["HX-Trigger"]
        assert "data-live-pending" not in part

    def test_cancelling_on_the_page(self) -> None:
        user = make_user()
        order_id = order_of(client_for(user))
        answer = page_client(user).post(f"/orders/{order_id}/cancel")
        assert answer.status_code == 303
        assert Order.objects.get().status == OrderStatus.CANCELLED
        assert "cancelled" in page_client(user).get(f"/orders/{order_id}").content.decode()

    def test_nobody_else_sees_it(self) -> None:
        order_id = order_of(client_for(make_user()))
        browser = page_client(make_user())
        for path in ("", "/return", "/status", "/receipt"):
            assert browser.get(f"/orders/{order_id}{path}").status_code == 404
        for path in ("/pay", "/cancel"):
            assert browser.post(f"/orders/{order_id}{path}").status_code == 404
