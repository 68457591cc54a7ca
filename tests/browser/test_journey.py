"""A customer's whole journey through Plushify, on a phone and at a desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from house.browsing import DESK, PASSWORD, PHONE, Hall, Visitor, new_address, number_in, small_photo

pytestmark = pytest.mark.browser
Arrive = Callable[..., Visitor]


def credits(page: Page) -> Any:
    return page.locator(".credit-pill [data-balance]")


def take_all_credits_but(hall: Hall, email: str, left: int) -> None:
    """What an admin does with ``email``'s balance."""
    admin = "first-admin@example.com"
    try:
        token = hall.token(admin)
    except OSError:
        hall.join(admin, "The first admin")
        token = hall.token(admin)
    (person,) = hall.call("GET", f"/api/users?search={email}", token=token)["items"]
    balance = hall.call("GET", "/api/credits/balance", token=hall.token(email))["balance"]
    correction = {"amount": left - balance, "reason": "A test of running out"}
    hall.call("POST", f"/api/users/{person['id']}/credits", correction, token=token)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_from_sign_up_to_deletion(hall: Hall, visitor: Arrive, size: tuple[int, int]) -> None:
    ada = visitor(size=size)
    email = new_address()
    sign_up(ada, hall, email)
    make_and_keep_a_picture(ada)
    run_out_and_buy(ada, hall, email)
    look_at_the_books(ada, hall)
    settle_in_and_leave(ada)


def sign_up(ada: Visitor, hall: Hall, email: str) -> None:
    page = ada.go("/plushify")
    page.get_by_role("link", name="Make my plush").click()
    page.locator("a[href^='/signup']").click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form button[type=submit], form button:not([type])").first.click()
    page.wait_for_url("**/verify-email**")
    page.goto(hall.mailed_link(email, "/verify-email/"))
    ada.sign_in(email, "/plushify/create")
    expect(credits(page)).to_have_text("10")


def make_and_keep_a_picture(ada: Visitor) -> None:
    page = ada.page
    ada.make_picture(small_photo(), "A red ball")
    expect(credits(page)).to_have_text("9")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("51")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith("plush-minimalist-")
    heart = page.get_by_role("button", name="Favourite")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Gallery").first.click()
    expect(page.get_by_role("link", name="A red ball")).to_be_visible()
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")


def run_out_and_buy(ada: Visitor, hall: Hall, email: str) -> None:
    page = ada.page
    take_all_credits_but(hall, email, 0)
    page.reload()
    page.get_by_role("link", name="A red ball").click()
    page.get_by_role("link", name="Same photo, another style").click()
    page.locator("input[value=cartoon-style]").check()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="How big?")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Your credits are used up")).to_be_visible()
    page.get_by_role("link", name="Get credits").click()
    page.get_by_role("button", name="Get 50 credits").click()
    page.wait_for_url("**/sandbox/pay/**")
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url("**/orders/**")
    expect(credits(page)).to_have_text("50", timeout=30_000)


def look_at_the_books(ada: Visitor, hall: Hall) -> None:
    page = ada.page
    ada.go("/plushify/history")
    expect(page.get_by_text("Credit pack")).to_be_visible()
    assert number_in(page.locator(".booking__amount").first.inner_text()) == 50
    page.get_by_role("link", name="Purchases").click()
    receipt = page.get_by_role("link", name=re.compile("^Receipt")).get_attribute("href")
    paper = ada.context.request.get(f"{hall.url}{receipt}")
    assert paper.body().startswith(b"%PDF")


def settle_in_and_leave(ada: Visitor) -> None:
    page = ada.page
    ada.go("/plushify/settings")
    page.get_by_label("Default style").select_option("cartoon-style")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    ada.go("/plushify/account")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_without_scripts_everything_is_a_form(hall: Hall, visitor: Arrive) -> None:
    ada = visitor(javascript=False)
    ada.sign_in(hall.join(), "/plushify/create")
    page = ada.make_picture(small_photo(), "No scripts")
    page.get_by_role("button", name="Favourite").click()
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The picture is deleted.")).to_be_visible()
    ada.go("/plushify/pricing").get_by_role("button", name="Get 200 credits").click()
    page.get_by_role("button", name="Let the card be declined").click()
    page.wait_for_url("**/orders/**")


def test_the_wizard_by_keyboard_alone(hall: Hall, visitor: Arrive) -> None:
    ada = visitor(size=DESK)
    page = ada.sign_in(hall.join(), "/plushify/create")
    ada.tab_to("input[type=file]")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(small_photo())  # type: ignore[arg-type]
    ada.tab_to("form[enctype] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How shall we sew it?")).to_be_focused()
    ada.tab_to("input[name=style]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How big?")).to_be_focused()
    ada.tab_to("textarea")
    page.keyboard.type("By keys")
    ada.tab_to("#wizard form button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ready to sew?")).to_be_focused()
    ada.tab_to("[data-spends] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Here it is")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("By keys").first).to_be_visible()
    assert "style=realistic-plush" not in page.url
    expect(page.get_by_text("Realistic plush")).to_be_visible()
