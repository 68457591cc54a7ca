"""The hall's landing page, its demo doors, and the pages of what went wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.messages import success
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory

from house.people import make_user, page_client
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.platform.actions import change_settings
from markethall.foundation.platform.queries import forget_kept
from markethall.interfaces.web import errors, middleware
from markethall.kernel.errors import Conflict, Invalid, Problem, TooManyRequests, Unauthenticated

pytestmark = pytest.mark.django_db


def test_the_hall_has_a_door_to_what_is_open_and_says_what_is_not(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert b'href="/plushify"' in page.content
    assert b'href="/elysium"' in page.content
    assert page.content.count(b"Opens later") == 2
    for closed in (b'href="/mybeing"', b'href="/market"'):
        assert closed not in page.content


def test_a_click_signs_a_demo_person_in(client: Client) -> None:
    make_user(email="customer@demo.markethall.test")
    assert b"customer@demo.markethall.test" in client.get("/").content
    answer = client.post("/dev/sign-in", {"role": "customer"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/plushify")
    assert client.get("/plushify").context["user"].email == "customer@demo.markethall.test"


def test_a_demo_sign_in_needs_a_token_of_the_page(client: Client) -> None:
    make_user(email="admin@demo.markethall.test", role="admin")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/dev/sign-in", {"role": "admin"}).status_code == 403
    assert client.get("/dev/sign-in").status_code == 405


@pytest.mark.parametrize("role", ["customer", "", "nobody"])
def test_only_demo_people_can_be_signed_in_by_a_click(client: Client, role: str) -> None:
    make_user(email="ada@example.com")
    assert client.post("/dev/sign-in", {"role": role}).status_code == 404


def test_outside_the_sandbox_nobody_is_signed_in_by_a_click(client: Client, settings: Any) -> None:
    make_user(email="customer@demo.markethall.test")
    settings.SANDBOX = False
    assert client.post("/dev/sign-in", {"role": "customer"}).status_code == 404
    page = client.get("/").content
    assert b"customer@demo.markethall.test" not in page
    assert b"/dev/" not in page


def test_the_small_files(client: Client) -> None:
    assert b"Disallow: /console" in client.get("/robots.txt").content
    assert client.get("/favicon.ico").headers["Location"].endswith("mark.svg")


@pytest.mark.parametrize(
    ("path", "theme"), [("/nowhere", "hall"), ("/plushify/nowhere", "plushify")]
)
def test_what_is_not_there_wears_the_look_of_its_storefront(
    client: Client, path: str, theme: str
) -> None:
    page = client.get(path)
    assert page.status_code == 404
    assert f'data-theme="{theme}"' in page.content.decode()


def test_an_error_page_of_a_broken_server_asks_no_database(
    django_assert_num_queries: Any, rf: RequestFactory
) -> None:
    with django_assert_num_queries(0):
        page = errors.server_error(rf.get("/plushify/gallery"))
    assert page.status_code == 500
    assert b"Something broke on our side" in page.content


def problem_for(request: HttpRequest, problem: Problem) -> HttpResponse:
    request.user = make_user()
    request._messages = []  # type: ignore[attr-defined]
    return errors.problem_page(request, problem)


def test_a_problem_keeps_its_status_and_headers(rf: RequestFactory) -> None:
    page = problem_for(rf.get("/plushify"), TooManyRequests(7))
    assert (page.status_code, page.headers["Retry-After"]) == (429, "7")
    assert b"Try again in 7 seconds." in page.content


def test_a_problem_is_a_toast_for_htmx(rf: RequestFactory) -> None:
    asked = rf.get("/plushify", headers={"HX-Request": "true"})
    answer = problem_for(asked, Conflict("Wait a moment.", pricingUrl="/plushify/pricing"))
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (409, "none")
    (toast,) = json.loads(answer.headers["HX-Trigger"])["toast"]["toasts"]
    assert toast == {
        "level": "error",
        "text": "Wait a moment.",
        "actionUrl": "/plushify/pricing",
        "actionText": "Get credits",
    }


def test_a_problem_of_fields_names_them(rf: RequestFactory) -> None:
    page = problem_for(rf.get("/plushify"), Invalid.field("item", "There is no such pack."))
    assert b"<li>There is no such pack.</li>" in page.content


def test_who_is_not_signed_in_is_led_to_the_door_and_back(rf: RequestFactory) -> None:
    led = problem_for(rf.get("/plushify/gallery?sort=oldest"), Unauthenticated())
    assert led.headers["Location"] == "/login?next=%2Fplushify%2Fgallery%3Fsort%3Doldest"
    asked = rf.get("/plushify/gallery", headers={"HX-Request": "true"})
    assert problem_for(asked, Unauthenticated()).headers["HX-Redirect"].startswith("/login?next=")


class Told:
    """A message storage that holds one message."""

    def __init__(self, request: HttpRequest) -> None:
        self.used = False

    def add(self, level: int, message: str, extra_tags: str = "") -> None:
        self.text = message

    def __iter__(self) -> Any:
        self.used = True
        return iter(
            [type("Message", (), {"level_tag": "success", "__str__": lambda _: self.text})()]
        )


@pytest.mark.parametrize(
    ("answer", "headers", "shown"),
    [
        (HttpResponse(), {"HX-Request": "true"}, True),
        (HttpResponse(), {}, False),
        (HttpResponseRedirect("/plushify"), {"HX-Request": "true"}, False),
        (HttpResponse(headers={"HX-Redirect": "/plushify"}), {"HX-Request": "true"}, False),
    ],
)
def test_messages_are_toasts_where_no_page_will_show_them(
    rf: RequestFactory, answer: HttpResponse, headers: dict[str, str], shown: bool
) -> None:
    request = rf.get("/plushify", headers=headers)
    request._messages = storage = Told(request)  # type: ignore[attr-defined]
    success(request, "Saved.")
    response = middleware.MessageToasts(lambda _: answer)(request)
    assert ("HX-Trigger" in response.headers) == shown
    assert storage.used == shown


def test_a_page_asks_for_the_balance_once_and_only_if_it_shows_it(
    django_assert_max_num_queries: Any,
) -> None:
    ada = page_client(make_user(credits=7))
    with django_assert_max_num_queries(5):
        page = ada.get("/plushify")
    assert b"<span data-balance>7</span>" in page.content
    with django_assert_max_num_queries(3):
        ada.get("/")


def test_a_maintenance_notice_stands_on_every_page_and_mails_name_the_support(
    client: Client,
) -> None:
    change_settings(
        actor_id=None, maintenance_notice="Closed on Sunday", support_email="help@shop.example"
    )
    forget_kept()
    for path in ("/", "/plushify", "/login"):
        assert "Closed on Sunday" in client.get(path).content.decode()
    mail = send_mail("no_account", to="somebody@example.com")
    assert "help@shop.example" in mail.html
