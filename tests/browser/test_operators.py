"""The console in a browser: a correction by keyboard alone, and every page against axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from house.browsing import DESK, PHONE, Hall, Visitor, overflow

pytestmark = pytest.mark.browser
Arrive = Callable[..., Visitor]

# Named in ADMIN_EMAILS by tests/conftest.py: whoever proves it is theirs becomes super admin.
ADMIN = "first-admin@example.com"
PAGES = ["", "/users", "/orders", "/pictures", "/payments", "/refunds", "/ledger"]
PAGES += ["/ledger/accounts", "/inbox", "/jobs", "/mails", "/audit", "/settings"]
PAGES += ["/image-providers", "/reconcile"]
PAGES += ["/search?q=first", "/users?q=nobody-has-this"]


@pytest.fixture(scope="module")
def admin(hall: Hall) -> str:
    return hall.join(ADMIN, name="Root")


def test_a_balance_is_corrected_by_keyboard_alone(hall: Hall, visitor: Arrive, admin: str) -> None:
    ada = hall.join()
    desk = visitor(size=DESK)
    page = desk.sign_in(admin, "/console")
    keys = page.keyboard
    keys.press("g")
    keys.press("u")
    page.wait_for_url("**/console/users")
    keys.press("/")
    keys.type(ada[4:12])
    keys.press("Enter")
    expect(page.get_by_role("link", name=ada)).to_be_visible()
    keys.press("j")
    keys.press("Enter")
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", name=ada)).to_be_visible()
    expect(page.locator("#panel-body")).to_be_focused()
    desk.tab_to("#panel [name=amount]")
    keys.type("7")
    keys.press("Tab")
    keys.type("Goodwill after the outage")
    keys.press("Enter")
    expect(page.locator(".toasts")).to_contain_text("7 credits added. The balance is 17.")
    expect(panel.locator("[data-shown=balance]")).to_have_text("17")
    expect(panel.get_by_role("table")).to_contain_text("Goodwill after the outage")
    keys.press("Escape")
    expect(panel).not_to_be_visible()
    expect(page.get_by_role("link", name=ada)).to_be_focused()
    desk.go(f"/console/audit?action=credits&subject={ada}")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Goodwill after the outage")
    expect(row).to_contain_text(admin)


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")])
def test_every_page_and_panel_is_accessible(
    visitor: Arrive, admin: str, size: tuple[int, int], scheme: str
) -> None:
    desk = visitor(size=size, scheme=scheme)
    page = desk.sign_in(admin, "/console")
    found = []
    for path in PAGES:
        desk.go(f"/console{path}")
        rows = page.locator("[data-row-link][data-panel]")
        if overflow([page]):
            found.append(f"{path} is wider than the screen")
        found += [f"{path} {fault}" for fault in desk.axe()]
        if rows.count():
            rows.first.click()
            expect(page.locator("#panel .detail")).to_be_visible()
            found += [f"{path} panel: {fault}" for fault in desk.axe()]
    assert found == []


def test_the_books_are_checked_while_one_looks(visitor: Arrive, admin: str) -> None:
    page = visitor(size=DESK).sign_in(admin, "/console")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("heading", name="The books are right")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_a_comparison_and_a_mail_are_accessible(
    hall: Hall, visitor: Arrive, admin: str, size: tuple[int, int], scheme: str
) -> None:
    desk = visitor(size=size, scheme=scheme, audit=True)
    page = desk.sign_in(admin, "/console/reconcile")
    page.get_by_role("button", name="Compare").click()
    agreed = page.get_by_role("heading", name="The gateways and the books agree")
    expect(agreed).to_be_visible(timeout=30_000)
    found = [f"compared: {fault}" for fault in desk.axe()]
    desk.go("/console/mails")
    preview = page.locator("[data-row-link]").first.get_attribute("href")
    desk.go(f"{preview}/preview")
    found += [f"preview: {fault}" for fault in desk.axe()]
    found += [f"wide: {url}" for url in overflow([page])]
    assert found == []
