"""Error pages and, for API paths, problem documents."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from markethall.kernel.errors import Forbidden, NotFound, Problem


class ServerFault(Problem):
    status, code, title = 500, "server_error", "Something broke on our side"


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


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A page, or the document when the caller is a program."""
    if request.path.startswith("/api/"):
        return problem_response(problem)
    return render(
        request,
        "errors/problem.html",
        {"problem": problem},
        status=problem.status,
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, NotFound("This address leads nowhere."))


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_page(request, ServerFault("It has been logged. Try again in a moment."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_page(request, CsrfFailed("Reload the page and send the form again."))
