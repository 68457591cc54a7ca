"""The API object: its routers, and the one place where errors become HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Router, Schema
from ninja import errors as ninja_errors

from markethall import __version__
from markethall.interfaces.web.errors import fault_of, problem_response
from markethall.interfaces.web.visitors import visitor_of
from markethall.kernel import idempotency
from markethall.kernel.errors import FieldError, Invalid, NotFound, PayloadTooLarge, Problem

log = structlog.get_logger(__name__)

api = NinjaAPI(
    title="Markethall",
    version=__version__,
    description=(
        "Accounts, till, books and back office of a small company's shops. A refusal is a problem"
        " document (RFC 9457) with a stable `code`; beside those that an endpoint names, 405"
        " answers a wrong verb, 500 a fault of ours, and 503 with `Retry-After` what is away for a"
        " moment."
    ),
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)


class BadBody(Problem):
    status, code, title = 400, "bad_body", "The body cannot be read"


class BadJson(Problem):
    status, code, title = 400, "bad_json", "The body is not the JSON that was expected"


def router(tag: str) -> Router:
    """A router whose answers are camelCase and leave nothing to guess."""
    return Router(tags=[tag], by_alias=True)


def answer_once(
    request: HttpRequest, act: Callable[[], tuple[int, Schema]], *, durable: bool = True
) -> HttpResponse:
    """Answer a POST that honours ``Idempotency-Key``; see ``kernel.idempotency.once``."""

    def run() -> idempotency.Answer:
        status, document = act()
        return idempotency.Answer(status, document.model_dump(mode="json", by_alias=True))

    caller = getattr(request.user, "pk", None) or visitor_of(request) or "anonymous"
    answer = idempotency.once(
        scope=f"{caller}:{request.path}",
        key=request.headers.get("Idempotency-Key"),
        request_body=request.body,
        act=run,
        durable=durable,
    )
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return JsonResponse(answer.body, status=answer.status, headers=headers)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_response(problem)


@api.exception_handler(ninja_errors.ValidationError)
def _validation(request: HttpRequest, error: ninja_errors.ValidationError) -> HttpResponse:
    return problem_response(Invalid(errors=[FieldError(*_located(item)) for item in error.errors]))


@api.exception_handler(ValidationError)
def _model_validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem_response(Invalid("; ".join(error.messages)))


@api.exception_handler(ninja_errors.HttpError)
def _http(request: HttpRequest, error: ninja_errors.HttpError) -> HttpResponse:
    return problem_response(BadJson(str(error)))


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_response(NotFound())


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem_response(PayloadTooLarge())


@api.exception_handler(BadRequest)
@api.exception_handler(MultiPartParserError)
@api.exception_handler(SuspiciousOperation)
@api.exception_handler(UnreadablePostError)
def _bad_body(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem_response(BadBody(str(error)))


@api.exception_handler(Exception)
def _fault(request: HttpRequest, error: Exception) -> HttpResponse:
    log.exception("request failed", path=request.path, exc_info=error)
    return problem_response(fault_of(error))


def _located(item: dict[str, Any]) -> tuple[str, str, str]:
    """(path, message, code) of one of ninja's errors: without where it stood (body, query …)."""
    steps = [str(step) for step in item["loc"]]
    if steps and steps[0] in {"body", "query", "path", "form", "file", "header"}:
        steps = steps[2:] if steps[0] in {"body", "form"} and len(steps) > 2 else steps[1:]
    message = str(item["msg"]).removeprefix("Value error, ")
    return ".".join(steps), message, str(item["type"])


def body_json(request: HttpRequest) -> Any:
    """The body as JSON; raises BadJson."""
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise BadJson from error
