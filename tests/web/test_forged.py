"""What another site's page, a program that opens links and a link of something else can do: no
change of state."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from house.addresses import address, pages
from house.people import make_user, page_client
from house.things import something_of_every_kind
from markethall.flows.bespoke import lead_link
from markethall.foundation.accounts.actions import reset_link, verification_link
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.files.links import signed_link
from markethall.foundation.files.models import StoredFile
from markethall.foundation.messaging.rules import Kind
from markethall.foundation.messaging.unsubscribing import unsubscribe_link
from markethall.interfaces.api.document import endpoints
from markethall.trade.leads.models import Lead
from markethall.trade.orders.access import guest_link
from markethall.trade.orders.models import Order
from markethall.trade.wishlist.actions import share

pytestmark = pytest.mark.django_db

# A stand-in of a gateway, and a link that mail programs press a button of: both are known by their
# address alone.
WITHOUT_COOKIES = {
    "/sandbox/pay/<str:ref>/pay",
    "/sandbox/pay/<str:ref>/dispute",
    "/unsubscribe/<str:token>",
}
_WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)", re.IGNORECASE)


def test_another_sites_page_posts_nothing() -> None:
    things = something_of_every_kind()
    open_to_all = {place for place, view in pages().items() if getattr(view, "csrf_exempt", False)}
    for who in (things["owner"], make_user(role=Role.SUPER_ADMIN)):
        forged = page_client(who, enforce_csrf_checks=True)
        taken = {
            place
            for place in pages()
            if forged.post(address(place, things)).status_code not in {403, 404, 405}
        }
        assert taken <= WITHOUT_COOKIES
    answers = {
        place: Client(enforce_csrf_checks=True).post(address(place, things)).status_code
        for place in open_to_all - WITHOUT_COOKIES
    }
    assert set(answers.values()) == {405}


def test_opening_an_address_changes_nothing() -> None:
    """Tries are counted, and nothing else is written."""
    things = something_of_every_kind()
    places = {*pages(), *(path for path, method, _ in endpoints() if method == "get")}
    written: dict[str, set[str]] = {}
    shown = set()
    for who, area in ((things["owner"], ""), (make_user(role=Role.SUPER_ADMIN), "/console")):
        client = page_client(who)
        for place in sorted(places):
            if not place.startswith(area) or (not area and place.startswith("/console")):
                continue
            with CaptureQueriesContext(connection) as asked:
                if client.get(address(place, things)).status_code == 200:
                    shown.add(place)
            found = (_WRITES.match(query["sql"]) for query in asked.captured_queries)
            tables = {each[1].lower() for each in found if each} - {"kernel_tries"}
            if tables:
                written.setdefault(place, set()).update(tables)
    assert written == {}
    assert len(shown) > len(places) // 4


def test_a_link_opens_what_it_was_made_for_and_nothing_else(client: Client) -> None:
    things = something_of_every_kind()
    owner = things["owner"]
    links = [
        guest_link(Order.objects.get(pk=things["order_id"])),
        lead_link(Lead.objects.get(pk=things["lead_id"])),
        f"/wishlist/{share(owner)}",
        signed_link(StoredFile.objects.earliest("pk").pk),
        unsubscribe_link(owner.pk, Kind.NOTICE),
        verification_link(EmailAddress.objects.get(user=owner)),
        reset_link(owner),
    ]
    parted = [link.removeprefix("http://testserver").rpartition("/") for link in links]
    # Opening a reset leads on to an address without its secret.
    assert [client.get(f"{place}/{token}").status_code for place, _, token in parted] in (
        [200] * 6 + [200],
        [200] * 6 + [302],
    )
    for place, _, own in parted:
        others = [token for _, _, token in parted if token != own]
        for token in [*others, own[:-1], f"{own}A", own.swapcase(), own[::-1]]:
            answer = Client().get(f"{place}/{token}")
            assert answer.status_code in {400, 404, 410, 422}, (place, token, answer.status_code)
