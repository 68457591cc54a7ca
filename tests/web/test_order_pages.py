"""What buyers of goods see of their orders, by account and by link, and what staff do with them."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from house.after import HOME, bought, line_ids, pay, placed
from house.jobs import run_jobs
from house.people import client_for, make_user, page_client
from house.shelf import figures, line_of, on_shelf
from markethall.flows.erasure import erase_account, erase_guest
from markethall.flows.export import export_of
from markethall.flows.goods_news import confirm_order
from markethall.flows.order_parcels import deliver_order, pack, ship_order
from markethall.flows.receipts import issue_receipt
from markethall.flows.refunds import refund_later, refund_order
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.models import Refund
from markethall.kernel import live
from markethall.trade.orders.access import guest_link, order_link, token_of
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import Shipment

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


def path_of(order: Order) -> str:
    return guest_link(order).removeprefix("http://testserver")


def staff(role: str = "logistics") -> tuple[User, Client]:
    user = make_user(role=role)
    return user, page_client(user)


class TestTracking:
    def test_a_guest_follows_pays_and_gets_the_invoice_by_the_link(self) -> None:
        order = placed()
        path, guest = path_of(order), Client()
        page = guest.get(path)
        assert page.status_code == 200
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert "noindex" in page.headers["X-Robots-Tag"]
        assert "Pay now" in page.content.decode()
        answer = guest.post(f"{path}/pay")
        assert answer.status_code == 303
        pay(order)
        shown = guest.get(path).content.decode()
        assert "Your payment is confirmed" in shown
        assert HOME["line1"] in shown
        invoice = guest.get(f"{path}/receipt")
        assert invoice.content.startswith(b"%PDF")
        assert guest.get(f"/orders/{order.pk}").status_code == 302

    def test_the_link_is_known_by_its_signature_alone(self) -> None:
        order, other = placed(), placed()
        token, foreign = token_of(order), token_of(other)
        forged = [
            f"{token.partition('.')[0]}.{foreign.partition('.')[2]}",
            token[:-1] + ("A" if token[-1] != "A" else "B"),
            token.partition(".")[0],
            "nonsense.nonsense",
            str(order.pk),
        ]
        for each in forged:
            for end in ("", "/status", "/receipt"):
                assert Client().get(f"/orders/track/{each}{end}").status_code == 404, each
            assert Client().post(f"/orders/track/{each}/cancel").status_code == 404

    def test_a_guests_page_asks_from_time_to_time(self) -> None:
        buyer = make_user()
        assert "data-live-poll" in Client().get(path_of(placed())).content.decode()
        own = page_client(buyer).get(f"/orders/{placed(buyer).pk}").content.decode()
        assert "data-live-topic" in own and "data-live-poll" not in own

    def test_a_link_cut_short_says_so_in_the_shops_own_look(self) -> None:
        answer = Client().get(path_of(placed())[:-4])
        assert answer.status_code == 404
        page = answer.content.decode()
        assert 'data-theme="elysium"' in page and "may have been cut short" in page

    @pytest.mark.parametrize(
        ("came_from", "theme"),
        [
            ("/elysium/account/orders", "elysium"),
            ("/plushify/history", "plushify"),
            ("", "hall"),
            ("http://elsewhere.example/elysium", "hall"),
        ],
    )
    def test_no_such_order_is_said_where_one_comes_from(self, came_from: str, theme: str) -> None:
        origin = "http://testserver" if came_from.startswith("/") else ""
        headers = {"Referer": origin + came_from}
        path = f"/orders/{placed().pk}"
        answer = page_client(make_user()).get(path, headers=headers)
        assert answer.status_code == 404
        assert f'data-theme="{theme}"' in answer.content.decode()

    def test_no_such_order_is_said_where_one_last_bought(self) -> None:
        buyer, others = make_user(), placed()
        own = placed(buyer)
        browser = page_client(buyer)
        for path in (f"/orders/{others.pk}", f"/orders/{others.pk}/receipt"):
            assert 'data-theme="elysium"' in browser.get(path).content.decode(), path
        shown = browser.get(f"/orders/{own.pk}").content.decode()
        assert "/elysium/account/orders" in shown and "/plushify" not in shown

    def test_what_changes_by_itself_renews_the_course_and_the_bag(self) -> None:
        order = bought(None, line_of(on_shelf(2), 1))
        part = Client().get(f"{path_of(order)}/status")
        assert 'id="order-course"' in part.content.decode()
        assert 'hx-swap-oob="true"' in part.content.decode()
        assert "<p>Paid</p>" in part.content.decode()
        assert json.loads(part.headers["HX-Trigger"]) == {"bag": {"pieces": 0}}
        assert "hx-swap-oob" not in Client().get(path_of(order)).content.decode()

    def test_it_shows_somebodys_order_and_acts_on_none_but_a_guests(self) -> None:
        order = placed(make_user())
        assert order_link(order).endswith(f"/orders/{order.pk}")
        path = path_of(order)
        assert "Pay now" not in Client().get(path).content.decode()
        assert Client().post(f"{path}/cancel").status_code == 404
        assert Client().post(f"{path}/pay").status_code == 404

    def test_a_guest_calls_off_what_is_not_packed(self) -> None:
        variant = on_shelf(5)
        order = bought(None, line_of(variant, 2))
        answer = Client().post(f"{path_of(order)}/cancel", follow=True)
        assert "Your money goes back" in answer.content.decode()
        assert "Credit note" in answer.content.decode()
        (refund,) = Refund.objects.all()
        note = Client().get(f"{path_of(order)}/credit-notes/{refund.pk}")
        assert note.content.startswith(b"%PDF")
        assert figures(variant) == (5, 0)
        missing = Client().get(f"{path_of(order)}/credit-notes/{uuid.uuid4()}")
        assert missing.status_code == 404

    def test_the_parcel_is_shown_with_its_carriers_page(self) -> None:
        order = bought()
        user, console = staff()
        parcel = pack(order_id=order.pk, actor_id=user.pk)
        console.post(
            f"/console/orders/{order.pk}/parcels/{parcel.pk}",
            {"act": "ship", "carrier": "dhl", "tracking_number": "JD 01/2"},
        )
        page = Client().get(path_of(order)).content.decode()
        assert "tracking-id=JD%2001%2F2" in page
        assert "It is on its way" in page


class TestMails:
    def test_an_order_is_confirmed_once_and_another_of_the_same_guest_too(self) -> None:
        first, second = placed(), placed()
        Order.objects.update(email="guest@example.com")
        for order in (first, second, first, second):
            confirm_order(order.pk)
        told = Mail.objects.filter(template="order_received").order_by("pk")
        assert list(told.values_list("reference", flat=True)) == [first.pk, second.pk]

    def test_each_step_is_told_with_the_guests_link(self) -> None:
        order = placed()
        confirm_order(order.pk)
        pay(order)
        confirm_order(order.pk)
        issue_receipt(order.pk)
        user, _ = staff()
        pack(order_id=order.pk, actor_id=user.pk)
        ship_order(order_id=order.pk, actor_id=user.pk)
        deliver_order(order_id=order.pk, actor_id=user.pk)
        mails = Mail.objects.order_by("pk")
        assert list(mails.values_list("template", flat=True)) == [
            "order_received",
            "order_receipt",
            "order_packed",
            "order_shipped",
            "order_delivered",
        ]
        assert all(guest_link(order) in mail.text for mail in mails)
        receipt = mails.get(template="order_receipt")
        assert receipt.attachments
        assert receipt.subject.startswith("Your invoice")
        moves = order.moves.exclude(from_status="").order_by("pk")
        steps = [move.to_status for move in moves if move.from_status != move.to_status]
        assert steps == ["PAID", "FULFILLED", "SHIPPED", "DELIVERED"]
        assert {move.actor_id for move in moves if move.to_status == "SHIPPED"} == {user.pk}


class TestConsole:
    def test_packing_sending_and_delivering_in_parts(self) -> None:
        order = bought(None, line_of(on_shelf(), 3), line_of(on_shelf(), 1))
        user, console = staff()
        first, second = line_ids(order)
        path = f"/console/orders/{order.pk}"
        console.post(f"{path}/pack", {f"pack-{first}": "2", f"pack-{second}": ""})
        parcel = Shipment.objects.get()
        assert [(str(line.line_id), line.quantity) for line in parcel.lines.all()] == [(first, 2)]
        refused = console.post(f"{path}/pack", {f"pack-{first}": "2"})
        assert refused.status_code == 422
        console.post(f"{path}/parcels/{parcel.pk}", {"act": "ship", "carrier": "Our own rider"})
        order.refresh_from_db()
        assert order.status == OrderStatus.PAID
        assert "A part" in Mail.objects.get(template="order_shipped").text
        page = console.get(path).content.decode()
        assert "1 to pack" in page
        console.post(f"{path}/pack", {f"pack-{first}": "1", f"pack-{second}": "1"})
        rest = Shipment.objects.exclude(pk=parcel.pk).get()
        order.refresh_from_db()
        assert order.status == OrderStatus.FULFILLED
        console.post(f"{path}/parcels/{rest.pk}", {"act": "ship"})
        for each in (parcel, rest):
            console.post(f"{path}/parcels/{each.pk}", {"act": "deliver"})
        order.refresh_from_db()
        assert order.status == OrderStatus.DELIVERED
        verbs = AuditEntry.objects.filter(subject_id=str(order.pk), actor_id=user.pk)
        assert set(verbs.values_list("action", flat=True)) == {
            "orders.pack",
            "orders.ship",
            "orders.deliver",
        }

    def test_a_parcel_can_be_taken_apart_until_it_leaves(self) -> None:
        order = bought()
        user, console = staff()
        parcel = pack(order_id=order.pk, actor_id=user.pk)
        path = f"/console/orders/{order.pk}/parcels/{parcel.pk}"
        console.post(path, {"act": "unpack"})
        assert not Shipment.objects.exists()
        assert console.post(path, {"act": "ship"}).status_code == 404
        ship_order(order_id=order.pk, actor_id=user.pk)
        sent = Shipment.objects.get()
        path = f"/console/orders/{order.pk}/parcels/{sent.pk}"
        assert console.post(path, {"act": "unpack"}).status_code == 409

    def test_what_a_refund_would_do_is_told_beside_its_form(self) -> None:
        order = bought()
        _, console = staff("finance")
        shown = console.get(f"/console/orders/{order.pk}").content.decode()
        (told,) = re.findall(r"<p [^>]*refund-terms[^>]*hx-get[^>]*>", shown)
        # Without this it would take its form's target, and put itself in place of the order.
        assert 'hx-target="this"' in told
        (line,) = line_ids(order)
        asked = {f"back-{line}": "9", "reason": "x"}
        terms = console.get(f"/console/orders/{order.pk}/refund-terms", asked)
        assert "3 of 3 can be given back." in terms.content.decode()
        # The toast says as much as the page does.
        headers = {"HX-Request": "true"}
        answer = console.post(f"/console/orders/{order.pk}/refund", asked, headers=headers)
        assert answer.status_code == 422
        assert "3 of 3 can be given back." in answer.headers["HX-Trigger"]

    def test_many_at_once_and_why_not_the_others(self) -> None:
        orders = [bought() for _ in range(2)]
        waiting = placed()
        _, console = staff()
        chosen = [str(order.pk) for order in [*orders, waiting]]
        answer = console.post("/console/orders/bulk", {"act": "ship", "order": chosen}, follow=True)
        assert "2 of 3 orders marked as sent." in answer.content.decode()
        why = f"{waiting.number}: An order that is pending cannot become shipped."
        assert why in answer.content.decode()
        statuses = set(Order.objects.filter(pk__in=chosen).values_list("status", flat=True))
        assert statuses == {"SHIPPED", "PENDING"}
        for act in ("picks", "slips"):
            paper = console.post("/console/orders/bulk", {"act": act, "order": chosen})
            assert paper.content.startswith(b"%PDF"), act
        assert console.post("/console/orders/bulk", {"act": "ship"}).status_code == 422

    def test_who_may_not(self) -> None:
        order = bought()
        _, finance = staff("finance")
        path = f"/console/orders/{order.pk}"
        (line,) = line_ids(order)
        assert finance.post(f"{path}/pack", {f"pack-{line}": "1"}).status_code == 403
        assert finance.post("/console/orders/bulk", {"act": "ship"}).status_code == 403
        _, logistics = staff()
        assert logistics.post(f"{path}/refund", {"reason": "x"}).status_code == 403
        assert logistics.post(f"{path}/erase-guest").status_code == 403

    def test_giving_back_lines_says_first_what_it_comes_to(self) -> None:
        order = bought(None, line_of(on_shelf(), 3), shipping=900)
        _, console = staff("finance")
        (line,) = line_ids(order)
        path = f"/console/orders/{order.pk}"
        form: dict[str, Any] = {f"back-{line}": "2", f"restock-{line}": "on", "shipping": "on"}
        terms = console.get(f"{path}/refund-terms", form).content.decode()
        assert "$109.00 of $159.00 goes back" in terms
        console.post(f"{path}/refund", {**form, "reason": "Two were too large"})
        order.refresh_from_db()
        assert order.refunded == 10_900
        over = console.get(f"{path}/refund-terms", {f"back-{line}": "2"}).content.decode()
        assert "danger-text" in over

    def test_the_list_by_what_is_to_be_done(self) -> None:
        paid, packed, sent = bought(), bought(), bought()
        user, console = staff()
        pack(order_id=packed.pk, actor_id=user.pk)
        ship_order(order_id=sent.pk, actor_id=user.pk)
        for need, order in (("to_pack", paid), ("to_ship", packed)):
            page = console.get(f"/console/orders?need={need}").content.decode()
            found = set(re.findall(r"MH-[0-9A-Z-]{9}", page))
            assert found == {order.number}, need
            listed = client_for(user).get(f"/api/orders?need={need}").json()["items"]
            assert [item["number"] for item in listed] == [order.number]


class TestShipmentsApi:
    def test_pack_send_and_deliver(self) -> None:
        order = bought()
        user = make_user(role="logistics")
        client = client_for(user)
        (line,) = line_ids(order)
        body = {"orderId": str(order.pk), "lines": [{"lineId": line, "quantity": 2}]}
        made = client.post("/api/shipments", body, headers={"Idempotency-Key": "1"})
        assert made.status_code == 201, made.content
        assert client.post("/api/shipments", body, headers={"Idempotency-Key": "1"}).json() == (
            made.json()
        )
        path = f"/api/shipments/{made.json()['id']}"
        change = {"status": "shipped", "carrier": "UPS", "trackingNumber": "1Z"}
        sent = client.put(path, change).json()
        assert (sent["status"], sent["orderStatus"]) == ("shipped", "PAID")
        assert sent["trackingUrl"].endswith("tracknum=1Z")
        rest = client.post("/api/shipments", {"orderId": str(order.pk), "carrier": "UPS"})
        assert rest.json()["orderStatus"] == "SHIPPED"
        for each in (path, f"/api/shipments/{rest.json()['id']}"):
            assert client.put(each, {"status": "delivered"}).status_code == 200
        detail = client.get(f"/api/orders/{order.pk}").json()
        assert detail["status"] == "DELIVERED"
        assert [parcel["status"] for parcel in detail["shipments"]] == ["delivered"] * 2
        assert detail["pieces"][0]["delivered"] == 3
        assert detail["shippingAddress"]["postalCode"] == "10115"
        again = client.put(path, {"status": "delivered"})
        assert (again.status_code, again.json()["code"]) == (409, "move_not_allowed")
        assert len(client.get(f"/api/shipments?orderId={order.pk}").json()["items"]) == 2


class TestErasure:
    def test_an_erased_buyer_leaves_the_country(self) -> None:
        user = make_user()
        sent, waits = bought(user), bought(user)
        ship_order(order_id=sent.pk, actor_id=user.pk)
        exported = export_of(user)["orders"]
        assert exported[0]["shippingAddress"]["line1"] == HOME["line1"]
        assert exported[0]["parcels"][0]["status"] == "shipped"
        path = path_of(sent)
        assert Client().get(path).status_code == 200
        erase_account(user_id=user.pk, actor=user)
        sent.refresh_from_db()
        assert sent.shipping_address == {"region": "", "country": "DE"}
        assert sent.billing_address == {"region": "", "country": "DE"}
        assert Client().get(path).status_code == 404
        assert Refund.objects.get().payment_id == waits.payment_id

    def test_a_guest_can_be_erased_too(self) -> None:
        order = bought()
        ship_order(order_id=order.pk, actor_id=uuid.uuid4())
        issue_receipt(order.pk)
        path = path_of(order)
        _, admin = staff("admin")
        page = admin.post(f"/console/orders/{order.pk}/erase-guest", follow=True).content.decode()
        assert "guest@example.com" not in page
        assert HOME["line1"] not in page
        order.refresh_from_db()
        assert order.receipt_id is None
        assert Client().get(path).status_code == 404
        assert not Mail.objects.filter(to="guest@example.com").exists()
        assert admin.post(f"/console/orders/{order.pk}/erase-guest").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_sent_any_more_is_given_back() -> None:
    order = bought()
    assert erase_guest(order_id=order.pk, actor_id=uuid.uuid4()) == 1
    run_jobs(["default"])
    order.refresh_from_db()
    assert (order.status, order.refunded) == (OrderStatus.REFUNDED, order.total)


class TestMoneyThatIsOnItsWay:
    PENDING = re.compile(r"<section[^>]*data-live-pending")

    @pytest.mark.django_db(transaction=True)
    def test_every_page_of_it_asks_until_it_has_gone(self) -> None:
        order = bought()
        _, admin = staff("admin")
        console, tracked = f"/console/orders/{order.pk}", path_of(order)
        pages = [(admin, console), (Client(), tracked)]
        with transaction.atomic():
            refund_later(order_id=order.pk, reason="Scratched", actor_id=None)
        for who, path in pages:
            assert self.PENDING.search(who.get(path).content.decode()), path
        assert "is on its way" in Client().get(f"{tracked}/status").content.decode()
        run_jobs(["default"])
        for who, path in pages:
            text = who.get(path).content.decode()
            assert "Given back" in text
            assert not self.PENDING.search(text), path
        told = Client().get(f"{tracked}/status").content.decode()
        assert 'id="order-given-back" hx-swap-oob="true"' in told
        assert "Credit note (PDF)" in told

    @pytest.mark.django_db(transaction=True)
    def test_open_pages_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        buyer = make_user()
        order = bought(buyer)
        sent: list[live.Message] = []
        monkeypatch.setattr(live, "send", sent.extend)
        refund_order(order_id=order.pk, amount=1, reason="Goodwill", actor_id=None)
        topic = f"order:{order.pk}"
        assert {each.user_id for each in sent if each.topic == topic} == {None, buyer.pk}
