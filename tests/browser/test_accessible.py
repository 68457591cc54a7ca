"""Every page, light and dark, against axe; none wider than a phone, none with refused content."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from house.browsing import DESK, PHONE, Hall, Visitor, overflow, small_photo

pytestmark = pytest.mark.browser
Arrive = Callable[..., Visitor]

OPEN = ["/", "/plushify", "/plushify/pricing", "/plushify/nowhere", "/login", "/signup"]
OPEN += ["/forgot-password", "/dev/outbox"]
OWN = ["/plushify/create", "/plushify/gallery", "/plushify/gallery?q=nothing+like+it"]
OWN += ["/plushify/history", "/plushify/history/purchases", "/plushify/settings"]
OWN += ["/plushify/account"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_for_anybody(visitor: Arrive, size: tuple[int, int], scheme: str) -> None:
    anybody = visitor(size=size, scheme=scheme, audit=True)
    found = [f"{path} {fault}" for path in OPEN for fault in _faults(anybody, path)]
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_ones_own(hall: Hall, visitor: Arrive, scheme: str) -> None:
    ada = visitor(scheme=scheme, audit=True)
    page = ada.sign_in(hall.join())
    ada.make_picture(small_photo(), "A ball")
    picture = page.url.removeprefix(hall.url)
    page.get_by_role("link", name="Same photo, another style").click()
    page.wait_for_url("**photo=**")
    style = page.url.removeprefix(hall.url)
    steps = [style, f"{style}&style=minimalist", f"{style}&style=minimalist&size=small"]
    paths = [*OWN, picture, *steps]
    found = [f"{path} {fault}" for path in paths for fault in _faults(ada, path)]
    assert found == []


def test_no_page_is_refused_anything_by_the_policy(hall: Hall, visitor: Arrive) -> None:
    """The visitor's faults fail the test: refused content, script errors, broken answers."""
    ada = visitor()
    for path in OPEN:
        assert ada.go(path).title()
    ada.sign_in(hall.join())
    for path in OWN:
        assert ada.go(path).title()


def _faults(person: Visitor, path: str) -> list[str]:
    page = person.go(path)
    wide = [f"is wider than the screen: {url}" for url in overflow([page])]
    return [*person.axe(), *wide]
