"""A ring, from the shop window to the page that follows it: as a guest on a phone, and signed in at
a desk with what was in the bag before."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from house.browsing import DESK, PASSWORD, PHONE, Hall, Visitor

pytestmark = pytest.mark.browser
Arrive = Callable[..., Visitor]
ADMIN = "first-admin@example.com"
RING: dict[str, Any] = {
    "slug": "aurore",
    "name": "Aurore",
    "prices": [{"amount": 100_000, "currency": "USD"}],
    "weightGrams": 120,
    "options": [
        {
            "code": "metal",
            "name": "Metal",
            "isStocked": True,
            "values": [
                {"code": "gold", "name": "Yellow gold", "swatch": "#d4af37"},
                {
                    "code": "platinum",
                    "name": "Platinum",
                    "swatch": "#c3c6cb",
                    "effects": [{"amount": 50_000, "currency": "USD"}],
                },
            ],
        },
        {
            "code": "size",
            "name": "Size",
            "isStocked": True,
            "hasDefault": False,
            "values": [{"code": str(size), "name": f"{size} mm"} for size in range(46, 66, 2)],
        },
        {"code": "engraving", "name": "Engraving", "kind": "text", "maxLength": 12}
        | {"isRequired": False},
    ],
}


@pytest.fixture(scope="module")
def ring(hall: Hall) -> str:
    """A ring for sale in two metals; the address of its page."""
    try:
        token = hall.token(ADMIN)
    except OSError:
        hall.join(ADMIN, "The first admin")
        token = hall.token(ADMIN)
    made = hall.call("POST", "/api/products", RING, token=token)
    hall.call("POST", f"/api/products/{made['id']}/approve", {}, token=token)
    stock = {"list": "AURORE-GOLD-52;9\nAURORE-PLATINUM-52;9"}
    hall.call("POST", "/api/inventory/receive", stock, token=token)
    return "/elysium/pieces/aurore"


def configure(page: Page) -> None:
    """Choose platinum, an engraving and, once that is asked for, a size; the server prices it."""
    page.get_by_label("Platinum").check()
    expect(page.locator("#offer .price")).to_have_text("$1,500")
    page.get_by_role("button", name="Add to bag").click()
    size = page.get_by_label("Size", exact=True)
    expect(page.get_by_text("Choose size.")).to_be_visible()
    expect(size).to_be_focused()
    size.select_option("52")
    expect(page.get_by_text("Choose size.")).to_be_hidden()
    expect(page.get_by_text("In the atelier")).to_be_visible()
    page.get_by_label("Engraving").fill("Ada")
    expect(page).to_have_url(re.compile("engraving=Ada"))
    page.get_by_role("button", name="Add to bag").click()
    expect(page.get_by_role("heading", name="In your bag")).to_be_visible()
    expect(page.get_by_text("Engraving: Ada")).to_be_visible()


def send_to_berlin(page: Page) -> None:
    page.locator("#id_shipping-country").select_option("DE")
    expect(page.locator("#checkout-sum")).to_contain_text("VAT 19 %")
    address = {"name": "Ada Byron", "line1": "Lindenweg 4", "postal_code": "10115"}
    for name, value in {**address, "city": "Berlin"}.items():
        page.locator(f"#id_shipping-{name}").fill(value)


def pay(page: Page) -> None:
    page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/sandbox/pay/**")
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url("**/orders/**")
    expect(page.get_by_text("Your payment is confirmed")).to_be_visible(timeout=30_000)


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_guest_buys_a_ring(visitor: Arrive, size: tuple[int, int]) -> None:
    guest = visitor(size=size)
    streams: list[str] = []
    guest.page.on(
        "request", lambda sent: streams.append(sent.url) if "/api/live" in sent.url else None
    )
    page = guest.go("/elysium")
    page.get_by_role("link", name="See all pieces").click()
    page.get_by_role("link", name="Aurore").click()
    configure(page)
    page.get_by_role("link", name="Checkout").click()
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("alert")).to_contain_text("A few things are missing")
    page.get_by_label("E-mail").fill("guest@example.com")
    send_to_berlin(page)
    pay(page)
    assert "/orders/track/" in page.url and not streams
    guest.go("/elysium/bag")
    expect(page.get_by_text("Nothing in it yet")).to_be_visible()


def test_the_bag_comes_along_at_sign_in(hall: Hall, visitor: Arrive, ring: str) -> None:
    ada = visitor(size=DESK)
    email = hall.join()
    configure(ada.go(ring))
    page = ada.go("/elysium/checkout")
    page.get_by_role("link", name="sign in").first.click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/elysium/checkout")
    expect(page.get_by_text("Engraving: Ada")).to_be_visible()
    send_to_berlin(page)
    pay(page)
    ada.go("/elysium/account/orders")
    expect(page.get_by_text("Aurore").first).to_be_visible()


def test_a_filter_renews_the_counts_and_keeps_the_focus(
    hall: Hall, visitor: Arrive, ring: str
) -> None:
    plain = {"slug": "pomegranate", "name": "Pomegranate", "prices": RING["prices"]}
    silver = [{"code": "silver", "name": "Silver"}, RING["options"][0]["values"][0]]
    stone = [{"code": code, "name": code.title()} for code in ("ruby", "opal")]
    options = [
        {"code": "metal", "name": "Metal", "isStocked": True, "values": silver},
        {"code": "stone", "name": "Stone", "isStocked": True, "values": stone},
    ]
    token = hall.token(ADMIN)
    made = hall.call("POST", "/api/products", {**plain, "options": options}, token=token)
    hall.call("POST", f"/api/products/{made['id']}/approve", {}, token=token)
    page = visitor(size=DESK).go("/elysium/shop")
    page.locator(".filters-fold > summary").press("Enter")
    metals = page.get_by_role("group", name="Metal")
    expect(metals.get_by_label("Yellow gold")).to_have_accessible_name("Yellow gold 2")
    ruby = page.get_by_role("checkbox", name="Ruby")
    ruby.press("Space")
    expect(metals.get_by_label("Yellow gold")).to_have_accessible_name("Yellow gold 1")
    expect(ruby).to_be_focused()
    expect(ruby).to_be_checked()
    expect(metals.get_by_label("Platinum")).to_have_count(0)


@pytest.mark.usefixtures("ring")
def test_a_button_pressed_while_the_price_changes_acts(visitor: Arrive) -> None:
    page = visitor(size=DESK).go("/elysium/pieces/aurore?option.size=52")
    held = Held(page)
    page.get_by_label("Platinum").check()
    asked = held.next()
    page.get_by_role("button", name="Add to bag").hover()
    page.mouse.down()
    asked.continue_()
    expect(page.locator("#offer .price")).to_have_text("$1,500")
    page.mouse.up()
    expect(page.get_by_role("heading", name="In your bag")).to_be_visible()
    expect(page.get_by_text("Metal: Platinum")).to_be_visible()


@pytest.mark.usefixtures("ring")
def test_what_is_missing_stays_told_while_prices_come(visitor: Arrive) -> None:
    page = visitor(size=DESK).go("/elysium/pieces/aurore")
    held = Held(page)
    page.get_by_label("Platinum").check()
    late = held.next()
    page.get_by_role("button", name="Add to bag").click()
    missing = page.get_by_text("Choose size.")
    expect(missing).to_be_visible()
    held.next().continue_()
    expect(page.locator("#offer .price")).to_have_text("$1,500")
    with page.expect_event("requestfinished", lambda sent: sent == late.request):
        late.continue_()
    expect(missing).to_be_visible()
    page.get_by_label("Yellow gold").check()
    held.next().continue_()
    expect(page.locator("#offer .price")).to_have_text("$1,000")
    expect(missing).to_be_visible()


class Held:
    """What a page asks of the ring from now on, kept until the test lets it go."""

    def __init__(self, page: Page) -> None:
        self._page, self._asked = page, deque[Route]()
        page.route(lambda url: "/pieces/aurore?" in url, self._hold)

    def _hold(self, route: Route) -> None:
        self._asked.append(route)

    def next(self) -> Route:
        for _ in range(2_000):
            if self._asked:
                return self._asked.popleft()
            self._page.evaluate("0")
        raise AssertionError("The page asks nothing.")


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_one_cover_is_loaded_and_the_other_when_it_is_switched(
    visitor: Arrive, size: tuple[int, int], scheme: str, other: str
) -> None:
    names = {"light": "morning", "dark": "night"}
    guest = visitor(size=size, scheme=scheme)
    loaded: list[str] = []
    guest.page.on("request", lambda sent: loaded.append(sent.url))
    page = guest.go("/elysium")
    covers = [url for url in loaded if re.search(r"/(morning|night)[.-]", url)]
    assert len(covers) == 1 and names[scheme] in covers[0]
    with page.expect_request(lambda sent: names[other] in sent.url):
        page.get_by_role("button", name="Switch between light and dark").click()


def test_pictures_that_are_too_large_together_are_told_of_and_kept_back(visitor: Arrive) -> None:
    page = visitor().go("/elysium/bespoke")
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    large = {"name": "stone.jpg", "mimeType": "image/jpeg", "buffer": bytes(6 * 1024 * 1024)}
    pictures = page.get_by_label("Pictures")
    told = page.get_by_text("more than 11 MB together")
    pictures.set_input_files([large, large])  # type: ignore[arg-type]
    expect(told).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(pictures).to_be_focused()
    assert not sent
    pictures.set_input_files(large)  # type: ignore[arg-type]
    expect(told).to_be_hidden()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#id_notes_error")).to_be_visible()
