"""A loopback stand-in of the part of Stripe's API that Markethall calls.

It takes what Stripe's own SDK sends and checks it: the key, the API version, an idempotency key
on every write, and the name of every parameter against the SDK's published parameter types. It
answers in Stripe's shapes. It does not check the values of parameters, charges nothing, knows no
fees, no currencies that differ from the account's, and sends nothing by itself.
"""

from __future__ import annotations

import json
import re
import threading
import time
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe.params import billing_portal, checkout
from typing_extensions import get_type_hints

import stripe
from stripe import params as types

KEY = "sk_test_peer"
PARAMS: list[tuple[str, str, Any]] = [
    ("POST", r"/v1/customers", types.CustomerCreateParams),
    ("POST", r"/v1/billing_portal/sessions", billing_portal.SessionCreateParams),
    ("POST", r"/v1/checkout/sessions", checkout.SessionCreateParams),
    ("POST", r"/v1/checkout/sessions/\w+/expire", checkout.SessionExpireParams),
    ("POST", r"/v1/payment_intents", types.PaymentIntentCreateParams),
    ("POST", r"/v1/payment_intents/\w+/confirm", types.PaymentIntentConfirmParams),
    ("POST", r"/v1/payment_intents/\w+/cancel", types.PaymentIntentCancelParams),
    ("POST", r"/v1/refunds", types.RefundCreateParams),
]


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
        return session

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

    def answer(self, method: str, path: str, given: dict[str, Any], key: str) -> Any:
        with self._lock:
            self.calls.append(f"{method} {path}")
            if self.fail_with:
                raise Refusal(self.fail_with, "api_error", "api_error", "Something went wrong.")
            if method != "POST":
                return self._read(method, path, given)
            check_names(method, path, given)
            if not key:
                raise Refusal(400, "invalid_request_error", "no_key", "No idempotency key.")
            asked = json.dumps([path, given], sort_keys=True)
            if key in self.answers:
                if self.answers[key][0] != asked:
                    raise Refusal(400, "idempotency_error", "", "Keys fit one request only.")
                return self.answers[key][1]
            made = json.loads(json.dumps(self._write(path, given)))
            self.answers[key] = (asked, made)
            return made

    def _read(self, method: str, path: str, given: dict[str, Any]) -> Any:
        if path == "/v1/balance":
            return {"object": "balance", "livemode": False, "available": [], "pending": []}
        if path in {"/v1/charges", "/v1/refunds"}:
            kind = path.removeprefix("/v1/").removesuffix("s")
            found = [thing for thing in self.things.values() if thing["object"] == kind]
            return {"object": "list", "data": found, "has_more": False, "url": path}
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
        if path == "/v1/billing_portal/sessions":
            url = f"https://billing.stripe.com/p/session/{given['customer']}"
            return self.make("bps", "billing_portal.session", url=url, **given)
        if path == "/v1/checkout/sessions":
            return self._open_session(given)
        if path == "/v1/payment_intents":
            given["amount"] = int(given["amount"])
            secret = {"client_secret": "pi_secret_1", "amount_received": 0}
            state = {"status": "requires_payment_method", "last_payment_error": None}
            return self.make("pi", "payment_intent", **given, **secret, **state)
        if path == "/v1/refunds":
            intent = self.get(given["payment_intent"])
            given |= {"amount": int(given["amount"]), "currency": intent["currency"]}
            return self.make("re", "refund", status="succeeded", **given)
        thing = self.get(steps[-2])
        act = {"expire": self._expire, "confirm": self._confirm, "cancel": self._cancel}[steps[-1]]
        return act(thing, given)

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
        thing |= {"status": "succeeded", "amount_received": thing["amount"]}
        return thing


def check_names(method: str, path: str, given: dict[str, Any]) -> None:
    """Raise Refusal for a parameter that Stripe's published types do not have, or that lacks."""
    for verb, pattern, type_ in PARAMS:
        if verb == method and re.fullmatch(pattern, path):
            _check(type_, given, "")
            return
    raise Refusal(404, "invalid_request_error", "", f"Unrecognized request URL ({path}).")


def _check(type_: Any, given: dict[str, Any], where: str) -> None:
    hints = get_type_hints(type_, localns={"StripeContext": str, "Mapping": dict})
    lacks = {n for n in type_.__required_keys__ if n not in given}
    if lacks:
        raise Refusal(400, "invalid_request_error", "parameter_missing", f"Missing {lacks}")
    for name, value in given.items():
        if name not in hints:
            text = f"Received unknown parameter: {where}{name}"
            raise Refusal(400, "invalid_request_error", "parameter_unknown", text)
        for inner in _typed_dicts(hints[name]):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    _check(inner, one, f"{where}{name}.")


def _typed_dicts(hint: Any) -> Iterator[Any]:
    if hasattr(hint, "__required_keys__"):
        yield hint
    for part in typing.get_args(hint):
        yield from _typed_dicts(part)


def unflatten(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0][c]=d`` as nested dicts and lists."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        steps = re.findall(r"[^\[\]]+", name)
        spot = root
        for step in steps[:-1]:
            spot = spot.setdefault(step, {})
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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            given = unflatten(parse_qsl(parts.query) + parse_qsl(body, keep_blank_values=True))
            try:
                self._check_headers()
                key = self.headers.get("Idempotency-Key", "")
                status, answer = 200, peer.answer(self.command, parts.path, given, key)
            except Refusal as refusal:
                status, answer = refusal.status, {"error": refusal.body}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Request-Id", "req_peer")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _handle

        def _check_headers(self) -> None:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                raise Refusal(401, "invalid_request_error", "", "Invalid API Key provided.")
            if self.headers.get("Stripe-Version") != stripe.api_version:
                raise Refusal(400, "invalid_request_error", "", "Another API version.")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
