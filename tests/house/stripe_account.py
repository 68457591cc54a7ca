"""The stand-in of Stripe's API as Stripe's own command-line tool uses it: ``stripe trigger`` runs
its fixtures here, and each answer is a whole object of the kind that the SDK names for the address.

It knows what follows from payments, refunds, disputes, checkouts and customers, and keeps the news
of them in ``news``. Of every other kind it knows only that something was made, changed or deleted;
the tool's requests are not checked against parameter types, since its fixtures are older than they
are, and no such request is told apart from one that was sent twice.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from house.stripe_peer import KEY, Peer, Refusal
from house.stripe_shapes import kind_of, whole

_PREFIXES = {
    "charge": "ch",
    "checkout.session": "cs_test",
    "customer": "cus",
    "dispute": "du",
    "payment_intent": "pi",
    "payment_method": "pm",
    "refund": "re",
}
_UNPUBLISHED = {r"/v1/issuing/cards/\w+/test/authorizations": "issuing.authorization"}
_LISTS = {"/v1/disputes": "dispute"}
_DECLINED = "Your card was declined."
# Of Stripe's published test accounts, the one whose debit succeeds.
_GOOD_IBAN = "AT611904300234573201"


class Account(Peer):
    """The records, and ``news``: events as type and object, in the order they happen."""

    def __init__(self) -> None:
        super().__init__()
        self.news: list[tuple[str, dict[str, Any]]] = []
        self.last: dict[str, Any] = {}

    def check_headers(self, headers: Mapping[str, str]) -> None:
        if "stripe-cli/" not in headers.get("User-Agent", ""):
            super().check_headers(headers)
        elif headers.get("Authorization") != f"Bearer {KEY}":
            raise Refusal(401, "invalid_request_error", "", "Invalid API Key provided.")

    def answer(self, method: str, path: str, given: dict[str, Any], key: str) -> Any:
        is_read = "/payment_pages/" in path or (path in _LISTS and "created" not in given)
        if key or (method == "GET" and not is_read):
            return super().answer(method, path, given, key)
        with self._lock:
            self.calls.append(f"{method} {path}")
            if method == "GET":
                return self._show(path, given)
            kind = kind_of(method, path) or self._unpublished(path)
            if not kind:
                raise Refusal(404, "invalid_request_error", "", f"Unrecognized URL ({path}).")
            steps = path.removeprefix("/v1/").split("/")
            special = getattr(self, "_on_" + kind.replace(".", "_"), None)
            made = special(method, steps, given) if special else None
            self.last = made or self._any(kind, method, steps, given)
            return whole(self.last)

    def tell(self, type: str, thing: dict[str, Any]) -> None:
        """Keep an event for whoever delivers."""
        self.news.append((type, copy.deepcopy(whole(thing))))

    def _unpublished(self, path: str) -> str:
        found = [kind for pattern, kind in _UNPUBLISHED.items() if re.fullmatch(pattern, path)]
        return "checkout.session" if "/payment_pages/" in path else "".join(found)

    def _read(self, method: str, path: str, given: dict[str, Any]) -> Any:
        thing = super()._read(method, path, given)
        return thing if thing["object"] in ("balance", "list") else {**thing, **whole(thing)}

    def _show(self, path: str, given: dict[str, Any]) -> Any:
        if "/payment_pages/" in path:
            return whole(self.get(path.split("/")[3]))
        found = [thing for thing in self.things.values() if thing["object"] == _LISTS[path]]
        found = [t for t in found if all(t.get(name) == given[name] for name in given)]
        return {"object": "list", "data": [whole(t) for t in found], "has_more": False, "url": path}

    def _new(self, kind: str, given: dict[str, Any], **fields: Any) -> dict[str, Any]:
        thing = self.make(_PREFIXES.get(kind, kind.replace(".", "_")), kind, **given)
        thing |= {**whole(thing), "asked": given, **fields}
        return thing

    def _change(self, ref: str, given: dict[str, Any], **fields: Any) -> dict[str, Any]:
        thing = self.get(ref)
        thing |= {**whole({**thing, **given}), **fields}
        return thing

    def _any(self, kind: str, method: str, steps: list[str], given: dict[str, Any]) -> Any:
        ref = next((step for step in steps if step in self.things), "")
        named = kind if kind != "subscription" else "customer.subscription"
        if method == "DELETE":
            gone = self.things.pop(self.get(ref or steps[-1])["id"])
            self.tell(f"{named}.deleted", gone)
            return {**gone, "deleted": True}
        if ref and self.things[ref]["object"] == kind:
            thing = self._change(ref, given)
            self.tell(f"{named}.updated", thing)
            return thing
        thing = self._new(kind, given)
        if kind == "subscription":
            thing["latest_invoice"] = self._new("invoice", {})["id"]
        if kind == "setup_intent":
            thing["payment_method"] = self._new("payment_method", {})["id"]
        self.tell(f"{named}.created", thing)
        return thing

    def _on_payment_intent(self, method: str, steps: list[str], given: dict[str, Any]) -> Any:
        act = steps[-1]
        if act == "capture":
            intent = self._change(steps[1], {}, status="succeeded")
            intent["amount_received"] = intent["amount"]
            self.tell("charge.captured", self.charge(intent))
            self.tell("payment_intent.succeeded", intent)
        elif act == "cancel":
            intent = self._change(steps[1], given, status="canceled")
            self.tell("payment_intent.canceled", intent)
        elif act == "confirm":
            intent = self._pay(self._change(steps[1], given))
        else:
            state = {"status": "requires_payment_method", "client_secret": "pi_secret_1"}
            intent = self._new("payment_intent", given, **state)
            self.tell("payment_intent.created", intent)
            if given.get("confirm") == "true":
                intent = self._pay(intent)
        return intent

    def _pay(self, intent: dict[str, Any]) -> dict[str, Any]:
        """What each of Stripe's test payment methods does to an intent."""
        method = str(intent.get("payment_method") or "")
        if "Declined" in method:
            intent["last_payment_error"] = {"type": "card_error", "message": _DECLINED}
            charge = self.charge(intent)
            charge |= {"status": "failed", "captured": False, "amount": intent["amount"]}
            self.tell("charge.failed", charge)
            self.tell("payment_intent.payment_failed", intent)
            raise Refusal(402, "card_error", "card_declined", _DECLINED)
        if "authenticationRequired" in method or intent["payment_method_types"] == [
            "customer_balance"
        ]:
            intent["status"] = "requires_action"
            self.tell("payment_intent.requires_action", intent)
        elif intent["payment_method_types"] == ["sepa_debit"]:
            intent["status"] = "processing"
            self.tell("payment_intent.processing", intent)
        elif intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            self.tell("payment_intent.amount_capturable_updated", intent)
        else:
            self._succeed(intent)
            if "createDispute" in method:
                dispute = self.dispute(intent["id"])
                if "Inquiry" in method:  # which takes no money yet
                    dispute |= {"status": "warning_needs_response", "balance_transactions": []}
                dispute |= whole(dispute)
                self.tell("charge.dispute.created", dispute)
        return intent

    def _succeed(self, intent: dict[str, Any]) -> None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        charge = self.charge(intent)
        intent["latest_charge"] = charge["id"]
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", intent)

    def charge(self, intent: dict[str, Any]) -> dict[str, Any]:
        charge = super().charge(intent)
        charge |= whole(charge)
        return charge

    def _on_refund(self, method: str, steps: list[str], given: dict[str, Any]) -> Any:
        if len(steps) == 2:
            refund = self._change(steps[1], given)
            self.tell("refund.updated", refund)
            self.tell("charge.refund.updated", refund)
            return refund
        intent = self.get(given["payment_intent"])
        refund = self._refund({"amount": intent["amount_received"], **given})
        refund |= whole({"metadata": {}, **refund})
        self.tell("refund.created", refund)
        for charge in [t for t in self.things.values() if t["object"] == "charge"]:
            if charge["payment_intent"] == intent["id"]:
                charge |= {"refunded": True, "amount_refunded": refund["amount"]}
                self.tell("charge.refunded", charge)
        return refund

    def _on_dispute(self, method: str, steps: list[str], given: dict[str, Any]) -> Any:
        if steps[-1] == "close":
            dispute = self._change(steps[1], {}, status="lost")
            self.tell("charge.dispute.closed", dispute)
        else:
            dispute = self._change(steps[1], given)
            self.tell("charge.dispute.updated", dispute)
        return dispute

    def _on_checkout_session(self, method: str, steps: list[str], given: dict[str, Any]) -> Any:
        if steps[-1] == "expire":
            session = self._change(steps[2], {}, status="expired")
            self.tell("checkout.session.expired", session)
            return session
        if steps[0] == "payment_pages":
            return self._submit(self.get(steps[1]), self.get(given["payment_method"]), given)
        for line in given["line_items"]:
            price = self.get(line["price"])
            line["price_data"] = {name: price[name] for name in ("unit_amount", "currency")}
        session = self._open_session(json.loads(json.dumps(given)))
        session |= whole(session)
        return session

    def _submit(self, session: dict[str, Any], card: dict[str, Any], given: dict[str, Any]) -> Any:
        if int(given["expected_amount"]) != session["amount_total"]:
            raise Refusal(400, "invalid_request_error", "", "Another amount is to be paid.")
        data = session.get("payment_intent_data") or {}
        fields = {name: session[name] for name in ("currency", "payment_method_types")}
        fields |= {"amount": session["amount_total"], "metadata": data.get("metadata") or {}}
        intent = self._new("payment_intent", fields, payment_method=card["id"])
        session |= {"payment_intent": intent["id"], "status": "complete"}
        self.tell("payment_intent.created", intent)
        if card["type"] != "sepa_debit":
            self._succeed(intent)
        session["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
        self.tell("checkout.session.completed", session)
        if debit := card["asked"].get("sepa_debit"):
            self._debit(session, intent, debit["iban"] == _GOOD_IBAN)
        return session

    def _debit(self, session: dict[str, Any], intent: dict[str, Any], succeeds: bool) -> None:
        """Days later, at the bank."""
        if succeeds:
            session["payment_status"] = "paid"
            self._succeed(intent)
            self.tell("checkout.session.async_payment_succeeded", session)
        else:
            intent |= {"status": "requires_payment_method", "last_payment_error": {}}
            self.tell("payment_intent.payment_failed", intent)
            self.tell("checkout.session.async_payment_failed", session)
