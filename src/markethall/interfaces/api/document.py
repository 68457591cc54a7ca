"""The OpenAPI document, as it is served, printed and kept in ``docs/openapi.json``.

What django-ninja generates from the endpoints, made whole: who may call, which headers count,
and what every problem looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from ninja.operation import Operation
from ninja.schema import NinjaGenerateJsonSchema

import markethall.interfaces.api.urls  # noqa: F401
from markethall.interfaces.api.access import Access
from markethall.interfaces.api.core import api
from markethall.interfaces.api.schemas import ProblemDocument
from markethall.interfaces.api.storefronts import HEADER, shop_of, storefront_of
from markethall.interfaces.web import currencies
from markethall.trade.catalog.storefronts import storefronts

TAGS = {
    "auth": "Sign up, verify, sign in and out, passwords, second factor.",
    "user": "One's own account: profile, settings, addresses, API keys, export, erasure.",
    "users": "Other people's accounts, for staff.",
    "images": "Uploads, and plush toys made of them.",
    "credits": "Balance and history.",
    "catalogue": "Products, their options, pictures and reviews; categories and collections.",
    "inventory": "What there is of each variant, for everybody; levels for staff.",
    "cart": "What somebody means to buy, visitor or customer.",
    "checkout": "From a cart to an order and its payment.",
    "payments": "Plans, checkout, payments, refunds.",
    "orders": "Everything bought is an order.",
    "logistics": "Parcels of orders, by hand.",
    "shipping": "Ways to send, and what they cost.",
    "taxes": "Rates by country and category.",
    "vouchers": "Codes, for staff.",
    "wishlist": "What somebody would like to have, to keep and to share.",
    "bespoke": "Wishes for pieces that are not for sale yet.",
    "analytics": "What is looked at and, for staff, what is sold.",
    "webhooks": "What providers send.",
    "platform": "Settings and the audit log.",
    "sandbox": "Outbox and clock. Absent in production.",
}
MEANINGS = {
    400: "The request cannot be read",
    401: "Not signed in, or the token is not valid",
    402: "Not enough credits",
    403: "Not allowed",
    404: "There is no such thing, or it is somebody else's",
    409: "Not possible in the present state",
    413: "Too large",
    415: "Not a type that is accepted",
    422: "Some fields need another value",
    429: "Too many tries; `Retry-After` says when to come back",
    502: "A provider refused",
    503: "A provider does not answer; `Retry-After` says when to come back",
}
_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a login, or a personal API key.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The cookie of a login. Changes send the value of the `csrftoken` cookie"
        " as `X-CSRFToken`.",
    },
}
_IDEMPOTENCY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key and body gives the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_CURRENCY = {
    "name": currencies.HEADER,
    "in": "header",
    "description": "The currency in which prices are wanted; the storefront's default where it does"
    " not sell in that one. `?currency=` says the same.",
    "schema": {"type": "string"},
}
_STOREFRONT = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "Which storefront the call is for; else the request's host tells, else the"
    " item does.",
    "schema": {"type": "string", "enum": storefronts()},
}


@cache
def _text() -> str:
    document = cast(dict[str, Any], api.get_openapi_schema(path_prefix="/api/"))
    for path, method, operation in _operations():
        _complete(document["paths"][path][method], operation)
    document["components"]["schemas"] |= _problem_schemas()
    document["components"]["securitySchemes"] = _SCHEMES
    used = {
        tag
        for methods in document["paths"].values()
        for details in methods.values()
        for tag in details.get("tags", [])
    }
    document["tags"] = [
        {"name": name, "description": text} for name, text in TAGS.items() if name in used
    ]
    return json.dumps(document)


def openapi_document() -> dict[str, Any]:
    """OpenAPI 3.1, as plain JSON values."""
    return cast(dict[str, Any], json.loads(_text()))


def endpoints() -> Iterator[tuple[str, str, Operation]]:
    """(path, method, operation) of every endpoint, aliases included."""
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            parts = [part.strip("/") for part in (bound.prefix, path)]
            full = "/".join(["/api", *(part for part in parts if part)])
            for operation in view.operations:
                for method in operation.methods:
                    yield re.sub(r"{[^}:]+:", "{", full), method.lower(), operation


def access_of(operation: Operation) -> Access:
    """Who may call ``operation``."""
    return cast(Access, next(iter(operation.auth_callbacks)))


def _operations() -> Iterator[tuple[str, str, Operation]]:
    return ((path, method, op) for path, method, op in endpoints() if op.include_in_schema)


def _complete(details: dict[str, Any], operation: Operation) -> None:
    access = access_of(operation)
    schemes: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
    if access.looks:
        details["security"] = schemes if access.required else [{}, *schemes]
    else:
        details["security"] = []
    if access.permission:
        details["x-permission"] = access.permission.value
    tag = details.get("tags", ["api"])[0]
    details["operationId"] = f"{tag}_{operation.view_func.__name__}"
    # Which headers an endpoint honours is what its code does, not what somebody wrote down.
    calls = operation.view_func.__code__.co_names
    headers = {
        "answer_once": [_IDEMPOTENCY],
        storefront_of.__name__: [_STOREFRONT],
        shop_of.__name__: [_STOREFRONT, _CURRENCY],
    }
    honoured = [each for name, some in headers.items() if name in calls for each in some]
    if honoured:
        details["parameters"] = [*details.get("parameters", []), *honoured]
    for status, response in details["responses"].items():
        _complete_response(int(status), response)


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema(
        mode="serialization",
        ref_template="#/components/schemas/{model}",
        schema_generator=NinjaGenerateJsonSchema,
    )
    return {**schema.pop("$defs"), ProblemDocument.__name__: schema}


def _complete_response(status: int, response: dict[str, Any]) -> None:
    if status < 400:
        response["description"] = {201: "Made", 202: "Accepted", 204: "Done"}.get(status, "OK")
        return
    response["description"] = MEANINGS.get(status, "A problem")
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    response["content"] = {"application/problem+json": {"schema": schema}}
    if status in {429, 503}:
        response["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "In seconds."}
        }
