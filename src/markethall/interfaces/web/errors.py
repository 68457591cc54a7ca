"""Error pages and, for API paths, problem documents."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import unwrap
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from markethall.interfaces.web import context, toasts
from markethall.interfaces.web.members import to_login
from markethall.kernel.errors import (
    Forbidden,
    NotFound,
    PayloadTooLarge,
    Problem,
    Unauthenticated,
)

View = Callable[[HttpRequest], HttpResponse]
# What is said of a problem that says no more than its title, and who shows it in their own frame.
_WHY = {404: "It may have moved, or be gone. Look whether the address is whole."}
_OWN_PAGES = {("elysium", 404): "elysium/not_found.html"}
_TOO_LARGE = (
    f"A form has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024 // 1024} MB of text, and "
    f"{settings.DATA_UPLOAD_MAX_NUMBER_FILES} files. Nothing was saved: go back, where what you "
    "typed still stands, and send less."
)
_MOST_TOLD = 3  # of the fields that are wrong, in one text
_SHOWN_AGAIN: dict[Callable[..., Any], View] = {}


class ServerFault(Problem):
    status, code, title = 500, "server_error", "Something broke on our side"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "We are away for a moment"


class BadRequest(Problem):
    status, code, title = 400, "bad_request", "We could not read that"


class UnknownHost(Problem):
    status, code, title = 400, "unknown_host", "No hall answers to this name"


class CsrfFailed(Forbidden):
    code, title = "csrf_failed", "This form is no longer valid"


def problem_response(problem: Problem) -> JsonResponse:
    """The RFC 9457 document with its status and headers."""
    return JsonResponse(
        problem.document(),
        status=problem.status,
        content_type="application/problem+json",
        headers=problem.headers,
    )


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one of the API, which answers documents and no pages."""
    return request.path == "/api" or request.path.startswith("/api/")


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A page; a toast when htmx asked; the document when the caller is a program."""
    if is_for_programs(request):
        return problem_response(problem)
    if isinstance(problem, Unauthenticated):
        return to_login(request)
    if request.headers.get("HX-Request"):
        return _problem_toast(problem)
    variables = _variables(request, problem)
    template = _OWN_PAGES.get((variables["theme"], problem.status), "errors/problem.html")
    page = render_to_string(template, variables, request)
    return HttpResponse(page, status=problem.status, headers=problem.headers)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, NotFound("This address leads nowhere."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return problem_page(request, PayloadTooLarge(_TOO_LARGE))
    return problem_page(request, BadRequest("Go back, reload the page and try again."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks neither session nor database: they may be what broke."""
    fault = fault_of(sys.exception())
    if is_for_programs(request):
        return problem_response(fault)
    if request.headers.get("HX-Request"):
        return _problem_toast(fault)
    variables = {**_variables(request, fault), "request": request}
    page = render_to_string("errors/problem.html", variables)
    return HttpResponse(page, status=fault.status, headers=fault.headers)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Nothing is done. A view may show its own form again, when it was sent from our own page."""
    view = request.resolver_match.func if request.resolver_match else None
    again = _SHOWN_AGAIN.get(unwrap(view)) if view else None
    if again and request.headers.get("Origin") in {settings.SITE_URL, _origin(request)}:
        return again(request)
    return problem_page(request, CsrfFailed("Go back, reload the page and send the form again."))


def shows_again(view: View, answer: View) -> None:
    """Let ``answer`` answer the forms of ``view`` that came without the cookies of their page. It
    may show what was typed, and must do nothing else."""
    _SHOWN_AGAIN[unwrap(view)] = answer


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def fault_of(error: BaseException | None) -> Problem:
    """What an error that nobody caught is for whoever asked."""
    if isinstance(error, OperationalError | InterfaceError):
        away = "Our database does not answer. Nothing was lost; try again in a few seconds."
        return Unavailable(away, headers={"Retry-After": "5"})
    return ServerFault("It has been logged. Try again in a moment.")


def told(problem: Problem) -> str:
    """What is wrong in one text: the detail or, where it says no more than the title, what is said
    of the fields."""
    if problem.detail != problem.title or not problem.errors:
        return problem.detail
    return " ".join(dict.fromkeys(error.message for error in problem.errors[:_MOST_TOLD]))


def _variables(request: HttpRequest, problem: Problem) -> dict[str, Any]:
    theme = context.theme_of(request)
    return {
        "problem": problem,
        "theme": theme,
        "code": problem.status,
        "heading": "We looked everywhere" if problem.code == "not_found" else problem.title,
        "text": problem.detail if problem.detail != problem.title else _WHY.get(problem.status, ""),
        "home_url": "/" if theme == "hall" else f"/{theme}",
        "pricing_url": problem.extra.get("pricingUrl"),
    }


def _problem_toast(problem: Problem) -> HttpResponse:
    response = HttpResponse(status=problem.status, headers={**problem.headers, "HX-Reswap": "none"})
    pricing = problem.extra.get("pricingUrl")
    toast = toasts.Toast("error", told(problem), pricing, "Get credits" if pricing else None)
    return toasts.show(response, [toast])
