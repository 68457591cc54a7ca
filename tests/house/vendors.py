"""Loopback servers in the place of the image providers, for their own SDKs to talk to.

Each answers over real HTTP what the vendor's published API description has it answer, in the
order that a test lays ready. It is no vendor: it makes no picture, checks no key, keeps no state
of its own and accepts any request; what was asked is kept, and the tests look at it.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from google.genai import types
from openai.types import ImagesResponse

from house.photos import photo
from house.serving import Handler, Server

PICTURE = photo("PNG", (900, 600))
KEYS = {
    "gemini_api_key": "AIza-gemini-secret-key",
    "openai_api_key": "sk-openai-secret-key",
    "replicate_api_token": "r8_replicate-secret-token",
    "stability_api_key": "sk-stability-secret-key",
}
MODEL = "black-forest-labs/flux-kontext-pro"


@dataclass
class Answer:
    """What a vendor answers. ``hangs`` until the server is closed, ``cut`` ends the body early."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    cut: bool = False

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Vendor:
    """A server on loopback. ``lay`` answers by method and beginning of the path; the last one
    stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._laid: dict[tuple[str, str], list[Answer | Callable[[Asked], Answer]]] = {}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        vendor = self

        class VendorHandler(Handler):
            def handle_any(self) -> None:
                vendor._serve(self)

            do_GET = do_POST = handle_any

        self._server = Server(VendorHandler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = self._server.url

    def lay(self, method: str, path: str, *answers: Answer | Callable[[Asked], Answer]) -> None:
        self._laid[method, path] = list(answers)

    def asked_for(self, method: str, path: str) -> list[Asked]:
        return [one for one in self.asked if one.method == method and one.path.startswith(path)]

    def close(self) -> None:
        self._closing.set()
        self._server.close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(handler.command, handler.path, headers, body)
        answer = self._answer(asked)
        if answer.hangs:
            self._closing.wait(30)
            handler.close_connection = True
            return
        content = answer.content()
        kind = "application/json" if not isinstance(answer.body, bytes) else "image/png"
        handler.send_response(answer.status)
        for name, value in {"Content-Type": kind, **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if answer.cut:
            content = content[: len(content) // 2]
            handler.close_connection = True
        handler.wfile.write(content)

    def _answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            fitting = [
                (path, answers)
                for (method, path), answers in self._laid.items()
                if method == asked.method and asked.path.startswith(path)
            ]
            if not fitting:
                return Answer(404, {"detail": f"nothing is laid for {asked.path}"})
            _, answers = max(fitting, key=lambda pair: len(pair[0]))
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(asked) if callable(answer) else answer


@contextmanager
def vendor() -> Iterator[Vendor]:
    server = Vendor()
    try:
        yield server
    finally:
        server.close()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def gemini_picture(image: bytes = PICTURE, /, **candidate: Any) -> Answer:
    """A GenerateContentResponse with a picture, or what ``candidate`` says."""
    parts = [
        {"text": "Here it is"},
        {"inlineData": {"mimeType": "image/png", "data": b64(image)}},
    ]
    answer = {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", **candidate}
        ],
        "usageMetadata": {
            "promptTokenCount": 600,
            "candidatesTokenCount": 1120,
            "totalTokenCount": 1720,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 342},
                {"modality": "IMAGE", "tokenCount": 258},
            ],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
        },
        "modelVersion": "gemini-nano-banana-2.1",
    }
    types.GenerateContentResponse.model_validate(answer)
    return Answer(200, answer)


def gemini_error(code: int, status: str, *details: dict[str, Any], **headers: str) -> Answer:
    error = {"code": code, "message": "key AIza-gemini-secret-key", "status": status}
    return Answer(code, {"error": {**error, "details": list(details)}}, headers)


def openai_picture(content: bytes = PICTURE) -> Answer:
    """An ImagesResponse."""
    answer = {
        "created": 1_763_700_000,
        "background": "opaque",
        "data": [{"b64_json": b64(content)}],
        "output_format": "png",
        "quality": "medium",
        "size": "1536x1024",
        "usage": {
            "input_tokens": 700,
            "input_tokens_details": {"image_tokens": 323, "text_tokens": 377},
            "output_tokens": 1000,
            "total_tokens": 1700,
        },
    }
    ImagesResponse.model_validate(answer)
    return Answer(200, answer)


def openai_error(status: int, code: str | None, kind: str, **headers: str) -> Answer:
    error = {"message": "about sk-openai-secret-key", "type": kind, "param": None, "code": code}
    return Answer(status, {"error": error}, headers)


def replicate_model(**fields: Any) -> Answer:
    """A model with its inputs, choices in schemas of their own as Replicate has them."""
    inputs = fields or {
        "prompt": {"type": "string", "title": "Prompt"},
        "input_image": {"type": "string", "format": "uri", "nullable": True},
        "aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}]},
        "output_format": {"allOf": [{"$ref": "#/components/schemas/output_format"}]},
        "safety_tolerance": {"type": "integer", "minimum": 0, "maximum": 6},
        "seed": {"type": "integer", "nullable": True},
    }
    schemas = {
        "Input": {"type": "object", "properties": inputs},
        "aspect_ratio": {"enum": ["match_input_image", "1:1"], "type": "string"},
        "output_format": {"enum": ["jpg", "png"], "type": "string"},
    }
    version = {
        "id": "f" * 64,
        "created_at": "2026-05-29T10:00:00.000Z",
        "cog_version": "0.15.8",
        "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": schemas}},
    }
    owner, _, name = MODEL.partition("/")
    return Answer(
        200,
        {
            "url": f"https://replicate.com/{MODEL}",
            "owner": owner,
            "name": name,
            "description": "",
            "visibility": "public",
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": 1,
            "cover_image_url": None,
            "default_example": None,
            "latest_version": version,
        },
    )


def prediction(ref: str, status: str, **more: Any) -> dict[str, Any]:
    """A prediction as Replicate shows it, in answers and in webhooks."""
    return {
        "id": ref,
        "model": MODEL,
        "version": "hidden",
        "input": {"prompt": "…"},
        "logs": "",
        "output": None,
        "data_removed": False,
        "error": None,
        "status": status,
        "created_at": "2026-11-21T12:00:00.000Z",
        "urls": {
            "cancel": f"https://api.replicate.com/v1/predictions/{ref}/cancel",
            "get": f"https://api.replicate.com/v1/predictions/{ref}",
        },
        **more,
    }
