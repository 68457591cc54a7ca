"""Every page, light and dark, against axe; none wider than a phone, none with refused content."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from house.browsing import DESK, PASSWORD, PHONE, Hall, Visitor, overflow, small_photo
from house.second_factor import code_for

pytestmark = pytest.mark.browser
Arrive = Callable[..., Visitor]

OPEN = ["/", "/plushify", "/plushify/pricing", "/plushify/nowhere", "/login", "/signup"]
OPEN += ["/forgot-password", "/dev/outbox", "/api/docs", "/api/docs/problems"]
OPEN += ["/elysium", "/elysium/shop", "/elysium/search?q=nothing", "/elysium/collections"]
OPEN += ["/elysium/bag", "/elysium/bespoke", "/elysium/size-guide", "/elysium/delivery"]
OWN = ["/plushify/create", "/plushify/gallery", "/plushify/gallery?q=nothing+like+it"]
OWN += ["/plushify/history", "/plushify/history/purchases", "/plushify/settings"]
OWN += ["/elysium/account", "/elysium/account/orders", "/elysium/account/addresses"]
OWN += ["/elysium/account/addresses/new", "/elysium/wishlist"]
OWN += ["/plushify/account", "/sign-ins", "/second-factor", "/change-password"]


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_till(hall: Hall, visitor: Arrive, scheme: str) -> None:
    """The sandbox's pay page, and the page of the order while it waits, and when it is paid."""
    ada = visitor(scheme=scheme, audit=True)
    email = hall.join()
    page, token = ada.sign_in(email), hall.token(email)
    item = {"item": "credits-50"}
    started = hall.call("POST", "/api/payments/create-checkout", item, token=token)
    pay_page = started["checkoutUrl"].removeprefix(hall.url)
    order = f"/orders/{started['orderId']}/return"
    found = [f"{path} {fault}" for path in (pay_page, order) for fault in _faults(ada, path)]
    hall.call("POST", f"{pay_page}/pay", {"outcome": "paid"})
    expect(page.get_by_text("Your payment is confirmed")).to_be_visible(timeout=30_000)
    found += [f"{path} paid: {fault}" for path in (order, pay_page) for fault in _faults(ada, path)]
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_second_factor(hall: Hall, visitor: Arrive, scheme: str) -> None:
    """Turning it on, its codes, what can be changed then, and its step of a sign-in."""
    ada = visitor(scheme=scheme, audit=True)
    email = hall.join()
    page = ada.sign_in(email, "/second-factor")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    found = [f"setup: {fault}" for fault in ada.axe()]
    secret = page.locator("main code").inner_text()
    page.locator("input[name=code]").fill(code_for(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Keep these codes")).to_be_visible()
    found += [f"codes: {fault}" for fault in ada.axe()]
    found += [f"on: {fault}" for fault in _faults(ada, "/second-factor")]
    ada.context.clear_cookies()
    ada.go("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    found += [f"step: {fault}" for fault in ada.axe()]
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
