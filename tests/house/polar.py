"""A stand-in for Polar on loopback. Requests are checked against the SDK's published input types,
names and values; answers are read by the SDK's own models, whose required fields it fills with
plain values. It does not check scopes, knows no subscriptions and no pages of a list, taxes
nothing unless told to, and sends no webhook by itself."""

from __future__ import annotations

import base64
import dataclasses
import json
import types
import typing
import uuid
from datetime import UTC, datetime
from typing import Any, Literal, Union
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from polar.base import deserialize
from polar.v2026_10 import inputs, outputs
from standardwebhooks import Webhook

from house.serving import Handler, Server
from house.shapes import faults_of

ASKED: dict[tuple[str, str], Any] = {
    ("POST", "checkouts"): inputs.CheckoutCreate,
    ("POST", "refunds"): inputs.RefundCreate,
    ("POST", "customers"): inputs.CustomerCreate,
    ("POST", "products"): inputs.ProductCreate,
    ("POST", "customer-sessions"): inputs.CustomerSessionCustomerIDCreate,
    ("POST", "webhooks"): inputs.WebhookEndpointCreate,
    ("PATCH", "customers"): inputs.CustomerUpdate,
    ("PATCH", "products"): inputs.ProductUpdate,
    ("PATCH", "webhooks"): inputs.WebhookEndpointUpdate,
}
SECRET = "polar_whs_" + "a1B2c3D4" * 5


def filled(model: Any, **values: Any) -> dict[str, Any]:
    """JSON of one of the SDK's models: ``values``, and something plain for what else it needs."""
    hints = typing.get_type_hints(model)
    made = {
        row.name: values[row.name] if row.name in values else _plain(hints[row.name])
        for row in dataclasses.fields(model)
    }
    deserialize(made, model)  # what the SDK cannot read is no answer of Polar's
    return made


def _plain(hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return None if type(None) in inner else _plain(inner[0])
    if origin is Literal:
        return inner[0]
    if origin is list:
        return []
    if origin is dict or typing.is_typeddict(hint):
        return {}
    if dataclasses.is_dataclass(hint):
        return filled(hint)
    return {int: 0, float: 0.0, bool: False, str: "plain"}.get(hint, {})


def _now() -> str:
    return datetime.now(UTC).isoformat()


class StandIn:
    """Polar's side: its records, and how it behaves."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, dict[str, Any]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.failing: list[int] = []
        self.stays_silent = False
        self.swallow = ""  # a path whose POST is done, and answered with a fault
        stand_in = self

        class HallsHandler(_Handler):
            hall = stand_in

        self.server = Server(HallsHandler)
        self.url = self.server.url

    def close(self) -> None:
        self.server.close()

    def rows(self, area: str) -> dict[str, dict[str, Any]]:
        return self.kept.setdefault(area, {})

    def pay(self, checkout_id: str, *, tax: int = 0, inclusive: bool = False) -> dict[str, Any]:
        """The customer pays a checkout; the order that comes of it."""
        checkout = self.rows("checkouts")[checkout_id]
        checkout["status"] = "succeeded"
        price = checkout["amount"]
        net = price - tax if inclusive else price
        order = filled(
            outputs.Order,
            id=str(uuid.uuid4()),
            created_at=_now(),
            status="paid",
            paid=True,
            subtotal_amount=price,
            net_amount=net,
            tax_amount=tax,
            total_amount=net + tax,
            refundable_amount=net,
            refundable_tax_amount=tax,
            currency=checkout["currency"],
            billing_reason="purchase",
            checkout_id=checkout_id,
            metadata=checkout["metadata"],
        )
        self.rows("orders")[order["id"]] = order
        return order

    def give_back(self, order_id: str, amount: int, **values: Any) -> dict[str, Any]:
        """A refund of a net amount, as by Polar's API or its dashboard."""
        order = self.rows("orders")[order_id]
        left = order["refundable_amount"]
        if amount > left:
            return {}
        tax = order["refundable_tax_amount"] * amount // left
        order["refundable_amount"] -= amount
        order["refundable_tax_amount"] -= tax
        refund = filled(
            outputs.Refund,
            id=str(uuid.uuid4()),
            created_at=_now(),
            status="succeeded",
            reason="customer_request",
            amount=amount,
            tax_amount=tax,
            currency=order["currency"],
            order_id=order_id,
            metadata=values.get("metadata", {}),
        )
        self.rows("refunds")[refund["id"]] = refund
        return refund

    def dispute(self, order_id: str) -> dict[str, Any]:
        """The payer's bank wants all of an order back; Polar tells nobody."""
        order = self.rows("orders")[order_id]
        dispute = filled(
            outputs.Dispute,
            id=str(uuid.uuid4()),
            created_at=_now(),
            status="needs_response",
            amount=order["net_amount"],
            tax_amount=order["tax_amount"],
            currency=order["currency"],
            reason="fraudulent",
            evidence_due_by=_now(),
            order_id=order_id,
        )
        self.rows("disputes")[dispute["id"]] = dispute
        return dispute

    def create(self, area: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        key = str(uuid.uuid4())
        if area == "checkouts":
            (price,) = body["prices"][body["products"][0]]
            made = filled(
                outputs.Checkout,
                id=key,
                created_at=_now(),
                status="open",
                url=f"{self.url}/pay/{key}",
                amount=price["price_amount"],
                net_amount=price["price_amount"],
                total_amount=price["price_amount"],
                currency=price["price_currency"],
                metadata=body["metadata"],
                customer_id=body.get("customer_id"),
            )
        elif area == "refunds":
            made = self.give_back(body["order_id"], body["amount"], metadata=body["metadata"])
            if not made:
                return 403, {"error": "RefundedAlready", "detail": "Order is fully refunded"}
            return 201, made
        elif area == "customers":
            if any(row["external_id"] == body["external_id"] for row in self.rows(area).values()):
                text = "A customer with this external ID already exists."
                where = ["body", "external_id"]
                return 422, {"detail": [{"loc": where, "msg": text, "type": "value_error"}]}
            model = outputs.CustomerIndividual
            made = filled(model, id=key, email=body["email"], external_id=body["external_id"])
        elif area == "products":
            made = filled(
                outputs.Product,
                id=key,
                name=body["name"],
                metadata=body["metadata"],
                visibility=body["visibility"],
            )
        elif area == "customer-sessions":
            made = filled(
                outputs.CustomerSession,
                id=key,
                customer_portal_url=f"{self.url}/portal/{key}",
                customer=self.rows("customers")[body["customer_id"]],
            )
        else:
            made = filled(
                outputs.WebhookEndpoint,
                id=key,
                url=body["url"],
                secret=SECRET,
                events=body["events"],
                api_version=body["api_version"],
                enabled=True,
            )
        self.rows(area)[key] = made
        return 201, made

    def listed(self, area: str, query: dict[str, str]) -> dict[str, Any]:
        rows = list(self.rows(area).values())
        for name in ("checkout_id", "order_id", "id", "email"):
            if name in query:
                rows = [row for row in rows if row.get(name) == query[name]]
        return {"items": rows, "pagination": {"total_count": len(rows), "max_page": 1}}


class _Handler(Handler):
    hall: StandIn

    def handle_one(self) -> tuple[int, dict[str, Any] | None]:
        hall, parts = self.hall, urlsplit(self.path)
        hall.asked.append((self.command, parts.path))
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self.headers.get("authorization") != "Bearer polar_oat_test":
            return 401, {"error": "invalid_token", "error_description": "No"}
        if hall.failing:
            return hall.failing.pop(0), {"detail": "failing"}
        area, _, key = parts.path.removeprefix("/v1/").strip("/").partition("/")
        area, key = ("webhooks", key[9:].strip("/")) if area == "webhooks" else (area, key)
        if faults := faults_of(body, ASKED.get((self.command, area), Any)):
            return 422, {"detail": [{"loc": ["body"], "msg": text, "type": "x"} for text in faults]}
        if key.startswith("external/"):
            found = [r for r in hall.rows(area).values() if r["external_id"] == key[9:]]
            key = found[0]["id"] if found else "none"
        if self.command == "POST":
            answer = hall.create(area, body)
            return (502, {}) if hall.swallow == area else answer
        if not key:
            return 200, hall.listed(area, {k: v[0] for k, v in parse_qs(parts.query).items()})
        return self.of_one(area, key, body)

    def of_one(
        self, area: str, key: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None]:
        rows = self.hall.rows(area)
        if key not in rows:
            return 404, {"error": "ResourceNotFound", "detail": "Not found"}
        if self.command == "DELETE":
            del rows[key]
            return 204, None
        rows[key].update(body)
        return 200, rows[key]

    def answer(self) -> None:
        if self.hall.stays_silent:
            self.close_connection = True
            return
        status, body = self.handle_one()
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "60")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = answer


def tell(
    type: str,
    data: dict[str, Any],
    *,
    event_id: str = "",
    at: datetime | None = None,
    secret: str = SECRET,
    body: str = "",
    is_old_secret: bool = True,
) -> Any:
    """Deliver an event, signed as Polar's own server signs: with the whole of an old secret, in
    base64, and with a new one as the standard has it."""
    event = {"type": type, "timestamp": _now(), "api_version": "2026-10", "data": data}
    text = json.dumps(event)
    sent, key = at or datetime.now(UTC), event_id or str(uuid.uuid4())
    signer = Webhook(base64.b64encode(secret.encode()).decode() if is_old_secret else secret)
    headers = {
        "webhook-id": key,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": signer.sign(key, sent, text),
    }
    return Client().post(
        "/api/webhooks/polar", body or text, content_type="application/json", headers=headers
    )
