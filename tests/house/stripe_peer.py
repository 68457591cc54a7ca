"""A loopback stand-in of the part of Stripe's API that Markethall calls.

It takes what Stripe's own SDK sends and checks it: the key, the API version, an idempotency key
on every write, and every parameter of a write or a list, its name and its value, against the
SDK's published parameter types. It answers in Stripe's shapes. It charges nothing, knows no fees,
no currencies that differ from the account's, no pages of a list, and sends nothing by itself.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe.params import billing_portal, checkout

import stripe
from house.serving import Handler, Server
from house.shapes import faults_of
from stripe import params as types

KEY = "sk_test_peer"
PARAMS: list[tuple[str, str, Any]] = [
    ("GET", r"/v1/charges", types.ChargeListParams),
    ("GET", r"/v1/disputes", types.DisputeListParams),
    ("GET", r"/v1/products", types.ProductListParams),
    ("GET", r"/v1/refunds", types.RefundListParams),
    ("GET", r"/v1/webhook_endpoints", types.WebhookEndpointListParams),
    ("POST", r"/v1/customers", types.CustomerCreateParams),
    ("POST", r"/v1/billing_portal/sessions", billing_portal.SessionCreateParams),
    ("POST", r"/v1/checkout/sessions", checkout.SessionCreateParams),
    ("POST", r"/v1/checkout/sessions/\w+/expire", checkout.SessionExpireParams),
    ("POST", r"/v1/payment_intents", types.PaymentIntentCreateParams),
    ("POST", r"/v1/payment_intents/\w+/confirm", types.PaymentIntentConfirmParams),
    ("POST", r"/v1/payment_intents/\w+/cancel", types.PaymentIntentCancelParams),
    ("POST", r"/v1/refunds", types.RefundCreateParams),
    ("POST", r"/v1/products", types.ProductCreateParams),
    ("POST", r"/v1/products/[\w-]+", types.ProductUpdateParams),
    ("POST", r"/v1/prices", types.PriceCreateParams),
    ("POST", r"/v1/prices/\w+", types.PriceUpdateParams),
    ("POST", r"/v1/webhook_endpoints", types.WebhookEndpointCreateParams),
    ("POST", r"/v1/webhook_endpoints/\w+", types.WebhookEndpointUpdateParams),
]
LISTS = {"charges", "disputes", "products", "refunds", "webhook_endpoints"}


class Refusal(Exception):
    """An error as Stripe answers it."""

    def __init__(self, status: int, type: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"type": type, "code": code, "message": message}


class Peer:
    """The records, and what a test does on Stripe's side."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[str, Any]] = {}
        self.calls: list[str] = []
        self.fail_with: int | None = None
        self.stays_silent = False
        self.loses_answers = False
        self._lock = threading.RLock()
        self._made = 0

    def make(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        self._made += 1
        thing = {"id": f"{prefix}_{self._made:06d}", "object": kind, "created": int(time.time())}
        thing |= fields
        self.things[thing["id"]] = thing
        return thing

    def get(self, ref: str) -> dict[str, Any]:
        if ref not in self.things:
            raise Refusal(404, "invalid_request_error", "resource_missing", f"No such thing: {ref}")
        return self.things[ref]

    def pay(self, session_id: str, *, amount: int | None = None) -> dict[str, Any]:
        """Somebody pays on the page; ``amount`` to charge another sum than was asked for."""
        session = self.get(session_id)
        session["amount_total"] = amount or session["amount_total"]
        intent = self.make(
            "pi",
            "payment_intent",
            status="succeeded",
            amount=session["amount_total"],
            amount_received=session["amount_total"],
            currency=session["currency"],
            metadata=session["payment_intent_data"]["metadata"],
            last_payment_error=None,
        )
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"]}
        self.charge(intent)
        return session

    def charge(self, intent: dict[str, Any]) -> dict[str, Any]:
        """The charge of an intent that has succeeded."""
        return self.make(
            "ch",
            "charge",
            status="succeeded",
            captured=True,
            amount=intent["amount_received"],
            currency=intent["currency"],
            payment_intent=intent["id"],
            metadata=intent["metadata"],
        )

    def give_back(self, intent_id: str, amount: int, **fields: Any) -> dict[str, Any]:
        """A refund made by hand on Stripe's pages."""
        intent = self.get(intent_id)
        refund = {"amount": amount, "currency": intent["currency"], "payment_intent": intent_id}
        return self.make(
            "re", "refund", **{"status": "succeeded", "metadata": {}, **refund, **fields}
        )

    def dispute(self, intent_id: str) -> dict[str, Any]:
        """The payer's bank takes everything back."""
        intent = self.get(intent_id)
        return self.make(
            "du",
            "dispute",
            status="needs_response",
            amount=intent["amount"],
            currency=intent["currency"],
            payment_intent=intent_id,
            reason="fraudulent",
            evidence_details={"due_by": int(time.time()) + 864_000},
            balance_transactions=[{"amount": -intent["amount"]}],
            metadata={},
        )

    def decide(self, dispute: dict[str, Any], *, for_shop: bool) -> None:
        """The payer's bank decides; what it gives back comes at once."""
        dispute["status"] = "won" if for_shop else "lost"
        if for_shop:
            dispute["balance_transactions"].append({"amount": dispute["amount"]})

    def answer(self, method: str, path: str, given: dict[str, Any], key: str) -> Any:
        with self._lock:
            self.calls.append(f"{method} {path}")
            if self.fail_with:
                raise Refusal(self.fail_with, "api_error", "api_error", "Something went wrong.")
            if method != "POST":
                return self._read(method, path, given)
            check(method, path, given)
            if not key:
                raise Refusal(400, "invalid_request_error", "no_key", "No idempotency key.")
            asked = json.dumps([path, given], sort_keys=True)
            if key in self.answers:
                if self.answers[key][0] != asked:
                    raise Refusal(400, "idempotency_error", "", "Keys fit one request only.")
                return self.answers[key][1]
            is_of_setup = path.split("/")[2] in {"products", "prices", "webhook_endpoints"}
            write = self._set_up if is_of_setup else self._write
            made = json.loads(json.dumps(write(path, given)))
            self.answers[key] = (asked, made)
            return made

    def check_headers(self, headers: Mapping[str, str]) -> None:
        if headers.get("Authorization") != f"Bearer {KEY}":
            raise Refusal(401, "invalid_request_error", "", "Invalid API Key provided.")
        if headers.get("Stripe-Version") != stripe.api_version:
            raise Refusal(400, "invalid_request_error", "", "Another API version.")

    def _read(self, method: str, path: str, given: dict[str, Any]) -> Any:
        if path == "/v1/balance":
            return {"object": "balance", "livemode": False, "available": [], "pending": []}
        if path.removeprefix("/v1/") in LISTS:
            check(method, path, given)
            kind = path.removeprefix("/v1/").removesuffix("s")
            found = [dict(thing) for thing in self.things.values() if thing["object"] == kind]
            span = given.get("created") or {}
            found = [t for t in found if int(span.get("gte", 0)) <= t["created"]]
            found = [t for t in found if t["created"] < int(span.get("lt", 2**40))]
            for thing in found:
                thing.pop("secret", None)
                for name in [one.removeprefix("data.") for one in given.get("expand", [])]:
                    if thing.get(name):
                        thing[name] = self.get(thing[name])
            return {"object": "list", "data": found[::-1], "has_more": False, "url": path}
        thing = dict(self.get(path.rsplit("/", 1)[1]))
        if method == "DELETE":
            self.things.pop(thing["id"])
            return {"id": thing["id"], "object": "customer", "deleted": True}
        for name in given.get("expand", []):
            if thing.get(name):
                thing[name] = self.get(thing[name])
        return thing

    def _write(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        steps = path.removeprefix("/v1/").split("/")
        if path == "/v1/customers":
            return self.make("cus", "customer", **given)
        if path == "/v1/checkout/sessions":
            return self._open_session(given)
        if path == "/v1/payment_intents":
            given["amount"] = int(given["amount"])
            secret = {"client_secret": "pi_secret_1", "amount_received": 0}
            state = {"status": "requires_payment_method", "last_payment_error": None}
            return self.make("pi", "payment_intent", **given, **secret, **state)
        if path == "/v1/refunds":
            return self._refund(given)
        if path == "/v1/billing_portal/sessions":
            url = f"https://billing.stripe.com/p/session/{given['customer']}"
            return self.make("bps", "billing_portal.session", url=url, **given)
        return self._act_on(self.get(steps[-2]), steps[-1], given)

    def _act_on(self, thing: dict[str, Any], act: str, given: dict[str, Any]) -> dict[str, Any]:
        acts = {"expire": self._expire, "confirm": self._confirm, "cancel": self._cancel}
        return acts[act](thing, given)

    def _refund(self, given: dict[str, Any]) -> dict[str, Any]:
        intent = self.get(given["payment_intent"])
        given |= {"amount": int(given["amount"]), "currency": intent["currency"]}
        gone = [
            t["amount"]
            for t in self.things.values()
            if t.get("payment_intent") == intent["id"]
            and t["object"] == "refund"
            and t["status"] != "failed"
        ]
        if sum(gone) + given["amount"] > intent["amount_received"]:
            text = "Refund amount is greater than unrefunded amount on charge."
            raise Refusal(400, "invalid_request_error", "charge_already_refunded", text)
        return self.make("re", "refund", status="succeeded", **given)

    def _set_up(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        steps = path.removeprefix("/v1/").split("/")
        given |= {n: given[n] == "true" for n in ("active", "disabled") if n in given}
        if len(steps) == 2:
            thing = self.get(steps[1])
            thing |= given
            if "disabled" in given:
                thing["status"] = "disabled" if given["disabled"] else "enabled"
            return thing
        if steps[0] == "products":
            if given.get("id") in self.things:
                text = "Product already exists."
                raise Refusal(400, "invalid_request_error", "resource_already_exists", text)
            made = self.make("prod", "product", **{"active": True, "default_price": None, **given})
            self.things[made["id"]] = self.things.pop(made["id"])
            return made
        if steps[0] == "prices":
            others = [t for t in self.things.values() if t.get("object") == "price"]
            for other in others:
                if given.get("lookup_key") and other["lookup_key"] == given["lookup_key"]:
                    if given.get("transfer_lookup_key") != "true":
                        text = "A price already uses that lookup key."
                        raise Refusal(400, "invalid_request_error", "", text)
                    other["lookup_key"] = None
            self.get(given["product"])
            given |= {"unit_amount": int(given["unit_amount"]), "active": True}
            return self.make("price", "price", **given)
        rest = {"status": "enabled", "secret": f"whsec_{len(self.things)}"}
        return self.make("we", "webhook_endpoint", **given, **rest)

    def _open_session(self, given: dict[str, Any]) -> dict[str, Any]:
        lines = given["line_items"]
        total = sum(int(x["quantity"]) * int(x["price_data"]["unit_amount"]) for x in lines)
        session = self.make(
            "cs_test",
            "checkout.session",
            status="open",
            payment_status="unpaid",
            amount_total=total,
            currency=lines[0]["price_data"]["currency"],
            payment_intent=None,
            **given,
        )
        session["url"] = f"https://checkout.stripe.com/c/pay/{session['id']}"
        return session

    def _expire(self, thing: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        if thing["status"] != "open":
            raise Refusal(400, "invalid_request_error", "", "Only open sessions can be expired.")
        thing["status"] = "expired"
        return thing

    def _cancel(self, thing: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        if thing["status"] == "succeeded":
            code = "payment_intent_unexpected_state"
            raise Refusal(400, "invalid_request_error", code, "It has succeeded.")
        thing["status"] = "canceled"
        return thing

    def _confirm(self, thing: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        method = given["payment_method"]
        if method == "pm_card_chargeDeclined":
            thing["last_payment_error"] = {"message": "Your card was declined."}
            raise Refusal(402, "card_error", "card_declined", "Your card was declined.")
        if method == "pm_card_threeDSecure2Required":
            step = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.test/3ds"}}
            thing |= {"status": "requires_action", "next_action": step}
            return thing
        if thing["status"] != "succeeded":
            thing |= {"status": "succeeded", "amount_received": thing["amount"]}
            self.charge(thing)
        return thing


def check(method: str, path: str, given: dict[str, Any]) -> None:
    """Raise Refusal for what Stripe's published types do not allow."""
    for verb, pattern, type_ in PARAMS:
        if verb == method and re.fullmatch(pattern, path):
            if faults := faults_of(given, type_, as_text=True):
                raise Refusal(400, "invalid_request_error", "parameter_invalid", "; ".join(faults))
            return
    raise Refusal(404, "invalid_request_error", "", f"Unrecognized request URL ({path}).")


def unflatten(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0][c]=d`` as nested dicts and lists."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        steps = re.findall(r"[^\[\]]+", name)
        spot = root
        for step in steps[:-1]:
            spot = spot.setdefault(step, {})
        if name.endswith("[]"):
            spot.setdefault(steps[-1], []).append(value)
        else:
            spot[steps[-1]] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(part) for name, part in value.items()}
    return list(inner.values()) if inner and all(n.isdigit() for n in inner) else inner


@contextmanager
def serving(peer: Peer) -> Iterator[str]:
    """The stand-in on a loopback port; its address."""

    class PeerHandler(Handler):
        def _handle(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            given = unflatten(parse_qsl(parts.query) + parse_qsl(body, keep_blank_values=True))
            if peer.stays_silent:
                self.close_connection = True
                return
            try:
                peer.check_headers(self.headers)
                key = self.headers.get("Idempotency-Key", "")
                status, answer = 200, peer.answer(self.command, parts.path, given, key)
            except Refusal as refusal:
                status, answer = refusal.status, {"error": refusal.body}
            if peer.loses_answers:
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Request-Id", "req_peer")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _handle

    server = Server(PeerHandler)
    try:
        yield server.url
    finally:
        server.close()
