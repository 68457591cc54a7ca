from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from markethall.interfaces.server.front import MAX_BODY, Front

Wsgi = Callable[[dict[str, Any], Callable[..., None]], Iterable[bytes]]


def echo(environ: dict[str, Any], start: Callable[..., None]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start("201 Created", [("X-Length", environ["CONTENT_LENGTH"]), ("X-Who", environ["HTTP_X_A"])])
    return [environ["PATH_INFO"].encode("latin-1"), b" ", body]


def exchange(
    app: Wsgi, chunks: list[bytes], headers: dict[str, str] | None = None, *, leave: bool = False
) -> list[dict[str, Any]]:
    incoming: Iterator[dict[str, Any]] = iter(
        [
            {
                "type": "http.request",
                "body": chunk,
                "more_body": leave or index < len(chunks) - 1,
            }
            for index, chunk in enumerate(chunks)
        ]
    )
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(incoming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/käse",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
    }
    asyncio.run(Front(app, None, threads=1)(scope, receive, send))
    return sent


def test_a_request_reaches_the_application_whole() -> None:
    start, body = exchange(echo, [b"one ", b"two"], {"X-A": "me"})
    assert start["status"] == 201
    headers = dict(start["headers"])
    assert (headers[b"x-length"], headers[b"x-who"]) == (b"7", b"me")
    assert body["body"].decode() == "/käse one two"


def test_a_header_with_an_underscore_does_not_pose_as_another() -> None:
    start, _ = exchange(echo, [b""], {"X-A": "me", "X_A": "you"})
    assert dict(start["headers"])[b"x-who"] == b"me"


@pytest.mark.parametrize(
    ("chunks", "headers"),
    [
        ([b""], {"Content-Length": str(MAX_BODY + 1)}),
        ([b"x" * 1024 * 1024] * 13, {}),
        ([b"x" * 1024 * 1024] * 13, {"Content-Length": "1"}),
    ],
)
def test_too_much_is_refused_before_it_is_kept(
    chunks: list[bytes], headers: dict[str, str]
) -> None:
    start, body = exchange(echo, chunks, headers)
    assert start["status"] == 413
    assert b"payload_too_large" in body["body"]


def test_a_client_that_leaves_midway_starts_nothing() -> None:
    def never(environ: dict[str, Any], start: Callable[..., None]) -> Iterable[bytes]:
        raise AssertionError("the application ran")

    assert exchange(never, [b"half"], leave=True) == []


@pytest.mark.parametrize(("status", "length"), [("200 OK", b"4"), ("204 No Content", None)])
def test_a_whole_answer_names_its_length(status: str, length: bytes | None) -> None:
    def app(environ: dict[str, Any], start: Callable[..., None]) -> Iterable[bytes]:
        start(status, [("Content-Type", "text/plain")])
        return [b"bo", b"dy"] if length else []

    assert dict(exchange(app, [b""])[0]["headers"]).get(b"content-length") == length


def test_a_long_answer_is_streamed_and_closed() -> None:
    class Long:
        streaming = True
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a", b"b"])

        def close(self) -> None:
            self.closed = True

    long = Long()

    def app(environ: dict[str, Any], start: Callable[..., None]) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", str(2**30))])
        return long

    messages = exchange(app, [b""])
    assert [m.get("body") for m in messages] == [None, b"a", b"b", b""]
    assert long.closed
