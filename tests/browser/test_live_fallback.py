"""Pages that show what is going on, when nothing comes by the event stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from house.browsing import Hall, Visitor

pytestmark = pytest.mark.browser
POLL, ASK_ANYWAY = 2_000, 15_000  # milliseconds, as live.js has them


@pytest.fixture
def ada(hall: Hall, visitor: Callable[..., Visitor]) -> tuple[Page, str, dict[str, Any]]:
    """Her page, her token, and her order that waits to be paid."""
    person = visitor()
    email = hall.join()
    page = person.sign_in(email)
    token = hall.token(email)
    item = {"item": "credits-50"}
    return page, token, hall.call("POST", "/api/payments/create-checkout", item, token=token)


def wait_for_it(hall: Hall, page: Page, started: dict[str, Any]) -> None:
    """Open the order's page, which waits; the page's clock stands still from then on."""
    page.clock.install()
    page.goto(f"{hall.url}/orders/{started['orderId']}/return")
    expect(page.locator("[data-live-pending]")).to_be_visible()
    page.clock.pause_at(page.evaluate("Date.now() + 3000"))


def pay(hall: Hall, token: str, started: dict[str, Any]) -> None:
    path = started["checkoutUrl"].removeprefix(hall.url)
    hall.call("POST", f"{path}/pay", {"outcome": "paid"})
    order = f"/api/orders/{started['orderId']}"
    until = time.monotonic() + 30
    while hall.call("GET", order, token=token)["status"] != "FULFILLED":
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_page_asks_when_the_stream_cannot_be_opened(
    hall: Hall, ada: tuple[Page, str, dict[str, Any]]
) -> None:
    page, token, started = ada
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.abort()

    page.route("**/api/live**", refuse)
    wait_for_it(hall, page, started)
    pay(hall, token, started)
    assert refused
    expect(page.locator("[data-live-pending]")).to_be_visible()
    page.clock.fast_forward(POLL)
    expect(page.locator("[data-live-pending]")).to_have_count(0)
    expect(page.get_by_text("50 credits").first).to_be_visible()


def test_a_page_asks_anyway_when_the_stream_is_silent(
    hall: Hall, ada: tuple[Page, str, dict[str, Any]]
) -> None:
    page, token, started = ada
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/live**", hold)
    wait_for_it(hall, page, started)
    pay(hall, token, started)
    page.clock.fast_forward(POLL)
    assert held
    expect(page.locator("[data-live-pending]")).to_be_visible()
    page.clock.fast_forward(ASK_ANYWAY)
    expect(page.locator("[data-live-pending]")).to_have_count(0)
