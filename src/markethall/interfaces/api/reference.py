"""``/api/docs``: the OpenAPI document as a page, and what every problem code means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from markethall.interfaces.api.document import MEANINGS, TAGS, openapi_document
from markethall.interfaces.web.verbs import read_only
from markethall.kernel.errors import Problem

_MENDS = {
    400: "Mend the request: its JSON, its headers.",
    401: "Sign in, or send a token that is valid.",
    402: "Buy credits; `pricingUrl` says where.",
    403: "Ask somebody whose role allows it.",
    404: "Check the address and the id. What is somebody else's is not found either.",
    409: "Ask for the present state, then decide anew.",
    413: "Send less.",
    415: "Send one of the types that the endpoint names.",
    422: "Change the fields that `errors` names.",
    429: "Wait for the seconds that `Retry-After` says.",
    500: "Try again; if it stays, tell us the `X-Request-Id`.",
    502: "Look at the detail; try again later.",
    503: "Wait for the seconds that `Retry-After` says. What was asked for is kept.",
}
_DEEPEST = 6


@read_only
def openapi_json(request: HttpRequest) -> HttpResponse:
    """The document itself."""
    return JsonResponse(openapi_document())


@read_only
def docs(request: HttpRequest) -> HttpResponse:
    """Every endpoint with its parameters, bodies, answers and a line for the shell."""
    document = openapi_document()
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            shown = _endpoint(document, path, method, details)
            by_tag.setdefault(details["tags"][0], []).append(shown)
    areas = [
        {"name": name, "text": text, "endpoints": by_tag[name]}
        for name, text in TAGS.items()
        if name in by_tag
    ]
    return render(request, "docs/reference.html", {"areas": areas, "theme": "hall"})


@read_only
def problems(request: HttpRequest) -> HttpResponse:
    """Every code, with its meaning and its mend."""
    kinds = {kind.code: kind for kind in sorted(_kinds(Problem), key=lambda kind: kind.code)}
    rows = [
        {"code": code, "status": kind.status, "title": kind.title, "mend": _mend(kind)}
        for code, kind in kinds.items()
    ]
    return render(request, "docs/problems.html", {"rows": rows, "theme": "hall"})


def _kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _kinds(child)


def _mend(kind: type[Problem]) -> str:
    return _MENDS.get(kind.status, MEANINGS.get(kind.status, ""))


def _endpoint(
    document: dict[str, Any], path: str, method: str, details: dict[str, Any]
) -> dict[str, Any]:
    body = details.get("requestBody", {}).get("content", {})
    media, schema = next(iter((m, c["schema"]) for m, c in body.items()), ("", None))
    example = _pretty(document, schema) if schema else ""
    return {
        "anchor": details["operationId"],
        "path": path,
        "method": method.upper(),
        "summary": details.get("description") or details["summary"],
        "permission": details.get("x-permission", ""),
        "who": _who(details),
        "parameters": [_parameter(entry) for entry in details.get("parameters", [])],
        "media": media,
        "body": example,
        "answers": [_answer(document, s, r) for s, r in details["responses"].items()],
        "curl": _curl(path, method, details, media, example),
    }


def _who(details: dict[str, Any]) -> str:
    security = details["security"]
    if not security or {} in security:
        return "Everyone"
    return "Staff" if details.get("x-permission") else "Signed in"


def _parameter(entry: dict[str, Any]) -> dict[str, Any]:
    schema = entry.get("schema", {})
    kinds = [part.get("type", "") for part in schema.get("anyOf", [schema])]
    return {
        "name": entry["name"],
        "where": entry["in"],
        "required": entry.get("required", False),
        "type": next((kind for kind in kinds if kind not in {"", "null"}), "string"),
        "text": entry.get("description") or schema.get("description", ""),
        "default": schema.get("default", ""),
    }


def _answer(document: dict[str, Any], status: str, response: dict[str, Any]) -> dict[str, Any]:
    content = response.get("content", {}).get("application/json")
    example = _pretty(document, content["schema"]) if content else ""
    return {"status": status, "text": response["description"], "example": example}


def _curl(path: str, method: str, details: dict[str, Any], media: str, example: str) -> str:
    words = ["curl"]
    if method != "get":
        words.append(f"-X {method.upper()}")
    if _who(details) != "Everyone":
        words.append('-H "Authorization: Bearer $TOKEN"')
    if media == "multipart/form-data":
        words.append("-F file=@photo.jpg")
    elif example:
        compact = json.dumps(json.loads(example), ensure_ascii=False)
        words.append("-H 'Content-Type: application/json'")
        words.append("-d '" + compact.replace("'", "'\\''") + "'")
    words.append(f"{settings.SITE_URL}{path}")
    return " ".join(words)


def _pretty(document: dict[str, Any], schema: dict[str, Any]) -> str:
    return json.dumps(example_of(document, schema), indent=2, ensure_ascii=False)


def example_of(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that fits ``schema``, from its examples and defaults where it has them."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    named = [*schema.get("examples", []), *schema.get("enum", [])]
    named += [schema[key] for key in ("const", "default") if schema.get(key) is not None]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if named or depth > _DEEPEST:
        return named[0] if named else None
    if choices:
        return example_of(document, choices[0], depth + 1)
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {name: example_of(document, field, depth + 1) for name, field in fields.items()}
    if schema.get("type") == "array":
        return [example_of(document, schema.get("items", {}), depth + 1)]
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> Any:
    formats = {
        "uuid": "01997c1e-7b1c-7d10-9f0a-3c8f5d2b6a41",
        "date-time": "2026-11-21T09:30:00Z",
        "binary": "…",
    }
    kinds = {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True, "null": None}
    kind = schema.get("type", "string")
    if kind in kinds:
        return kinds[kind]
    return formats.get(schema.get("format", ""), "…")
