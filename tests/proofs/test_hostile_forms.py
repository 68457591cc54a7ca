"""Every form of every page, filled with what nobody types: no answer is a fault of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from house.addresses import address, pages
from house.people import make_user, page_client
from house.shelf import line_of, on_shelf, order_of, pay_for
from house.things import something_of_every_kind, undone
from house.till import deliver_and_settle, press
from markethall.foundation.accounts.permissions import Role

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("till")]

HOSTILE = (
    "-1", "0", "1" * 30, "-" + "9" * 30, "1e400", "NaN", "1.5", "²", "٣", "",
    "a\x00b", "\ud7ff\u202e", "<script>", "x" * 5_000, "9999-12-31T23:59", "../../etc", "%00",
)  # fmt: skip


@dataclass
class Form:
    """Where a form of a page goes, and its fields with what stands in them."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The POST forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.found = page, list[Form]()
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            sent = said.get("hx-post") or said.get("action") or self.page
            is_post = said.get("method", "").lower() == "post" or "hx-post" in said
            self._open = Form(sent) if is_post else None
            self.found += [self._open] if self._open else []
        elif self._open and said.get("name") and tag in {"input", "select", "textarea", "button"}:
            self._open.fields[said["name"]] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms_of(client: Client, things: dict[str, Any]) -> list[Form]:
    """Each form once, by where it goes and what it asks."""
    found: dict[tuple[str, frozenset[str]], Form] = {}
    for place in pages():
        page = address(place, things)
        answer = client.get(page)
        if answer.status_code == 200 and "html" in answer.headers["Content-Type"]:
            reader = Forms(page)
            reader.feed(answer.content.decode())
            for form in reader.found:
                found.setdefault((form.action, frozenset(form.fields)), form)
    return [form for form in found.values() if form.action.startswith("/")]


def tries_of(form: Form) -> list[dict[str, str]]:
    """The form with one value everywhere, and in one field each."""
    kept = {"csrfmiddlewaretoken"}
    names = [name for name in form.fields if name not in kept]
    return [
        *(dict.fromkeys(names, value) for value in HOSTILE),
        *({**form.fields, name: value} for name in names for value in HOSTILE),
    ]


@pytest.mark.parametrize("who", ["owner", "staff"])
def test_no_form_breaks(who: str) -> None:
    things = something_of_every_kind()
    order = order_of(things["owner"], line_of(on_shelf(), 2))
    press(pay_for(order))
    deliver_and_settle()
    things |= {"order_id": order.pk}
    user = things["owner"] if who == "owner" else make_user(role=Role.SUPER_ADMIN)
    client = page_client(user, raise_request_exception=False)
    ring = {"product": "aurore", "metal": "gold", "size": "52"}
    client.post("/elysium/bag/lines", ring)
    broken: dict[str, Any] = {}
    sent = 0
    for form in forms_of(client, things):
        if form.action.endswith("/logout"):
            continue
        for said in tries_of(form):
            with undone():
                answer = client.post(form.action, said)
            sent += 1
            if answer.status_code >= 500:
                broken.setdefault(f"{form.action} {answer.status_code}", said)
    print(f"{sent} forms sent as {who}")
    assert broken == {}
    assert sent > 1_000
