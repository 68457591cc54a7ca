from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from house.people import make_user, page_client
from house.shelf import figures, line_of, on_shelf, order_of
from markethall.flows.staff_alerts import tell_staff
from markethall.foundation.messaging.models import Mail
from markethall.trade.inventory import actions

pytestmark = pytest.mark.django_db
STOCK = "/console/stock"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def keeper() -> Client:
    return page_client(make_user(role="logistics"))


def page(client: Client, path: str = STOCK) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_is_sold_out_or_low_comes_first_and_lists_are_narrowed(keeper: Client) -> None:
    plenty, low, out = on_shelf(50), on_shelf(5), on_shelf(1)
    admin = make_user(role="admin")
    actions.change_item(variant_id=low.pk, low_at=5, actor_id=admin.pk)
    order_of(make_user(), line_of(out))
    every = page(keeper)
    assert every.index(out.sku) < every.index(low.sku) < every.index(plenty.sku)
    only_low = page(keeper, f"{STOCK}?show=low")
    assert low.sku in only_low and plenty.sku not in only_low and out.sku not in only_low
    found = page(keeper, f"{STOCK}?q={plenty.sku.lower()}&storefront=elysium")
    assert plenty.sku in found and low.sku not in found


def test_a_level_is_changed_with_a_reason_and_stands_in_the_history(keeper: Client) -> None:
    ring = on_shelf(5)
    path = f"{STOCK}/{ring.pk}"
    form = {"level": "", "change": "-2", "reason": "damaged", "note": "Bent in the workshop"}
    assert keeper.post(f"{path}/adjust", form).status_code == 302
    assert figures(ring) == (3, 0)
    shown = page(keeper, path)
    assert "Bent in the workshop" in shown and "damaged" in shown
    keeper.post(f"{path}/change", {"low_at": "9", "is_counted": "on"})
    assert "low" in page(keeper, f"{STOCK}?show=low")
    refused = keeper.post(f"{path}/adjust", {"change": "-9", "reason": "lost"}, headers=HTMX)
    assert refused.status_code == 422
    assert "There are only 3 on hand, so 9 cannot be taken off." in str(refused.headers)
    too_many = keeper.post(
        f"{path}/adjust", {"change": "999999", "reason": "counted"}, headers=HTMX
    )
    assert "At most 1,000,000 pieces" in str(too_many.headers)
    assert figures(ring) == (3, 0)


def test_a_delivery_is_pasted_or_uploaded(keeper: Client) -> None:
    ring, chain = on_shelf(1), on_shelf(1)
    keeper.post(f"{STOCK}/receive", {"list": f"{ring.sku}, 4", "note": "D-7"})
    file = SimpleUploadedFile("d.csv", f"sku;pieces\n{chain.sku};2".encode(), "text/csv")
    keeper.post(f"{STOCK}/receive", {"file": file}, headers=HTMX)
    assert (figures(ring), figures(chain)) == ((5, 0), (3, 0))
    wrong = keeper.post(f"{STOCK}/receive", {"list": f"{ring.sku}, x"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "Line 1" in wrong.content.decode() + str(wrong.headers)
    no_text = SimpleUploadedFile("d.csv", b"\xff\xfe\x00", "text/csv")
    assert keeper.post(f"{STOCK}/receive", {"file": no_text}, headers=HTMX).status_code == 422


def test_only_those_who_keep_the_stock_see_it() -> None:
    ring = on_shelf(1)
    for role, status in (("finance", 403), ("admin", 200)):
        client = page_client(make_user(role=role))
        assert client.get(STOCK).status_code == status
        assert client.get(f"{STOCK}/{ring.pk}").status_code == status


def test_who_administers_is_told_once_of_what_runs_low() -> None:
    ring, admin = on_shelf(5), make_user(role="admin")
    actions.change_item(variant_id=ring.pk, low_at=5, actor_id=admin.pk)
    assert tell_staff() == 1
    assert "1 variant low in stock" in Mail.objects.get(template="staff_alert").text
    assert tell_staff() == 0
