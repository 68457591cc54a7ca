"""Problems: every refusal is one, and becomes an RFC 9457 document in one place.

A problem reads as a sentence, carries a stable ``code`` for machines, and the HTTP status that
the interfaces answer with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. ``path`` is dotted, as the caller sent it."""

    path: str
    message: str
    code: str = "invalid"


class Problem(Exception):
    """A refusal. Subclasses set ``status``, ``code`` and ``title``; instances say the detail."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request cannot be served"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """The RFC 9457 document; extension members in camelCase."""
        document: dict[str, Any] = {
            "type": f"/api/docs/problems#{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }
        if self.errors:
            document["errors"] = [
                {"path": error.path, "message": error.message, "code": error.code}
                for error in self.errors
            ]
        return document


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "Sign in first"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "You may not do this"


class NotFound(Problem):
    status, code, title = 404, "not_found", "There is no such thing"


class MethodNotAllowed(Problem):
    status, code, title = 405, "method_not_allowed", "This address knows no such verb"


class Conflict(Problem):
    status, code, title = 409, "conflict", "This cannot be done in the present state"


class Gone(Problem):
    status, code, title = 410, "gone", "This is no longer there"


class PayloadTooLarge(Problem):
    status, code, title = 413, "payload_too_large", "This is more than is accepted here"


class Invalid(Problem):
    status, code, title = 422, "validation_error", "Some fields need another value"

    @classmethod
    def field(cls, path: str, message: str, code: str = "invalid") -> Invalid:
        """One field is wrong."""
        return cls(message, errors=[FieldError(path, message, code)])


class TooManyRequests(Problem):
    status, code, title = 429, "rate_limited", "Too many tries"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Try again in {retry_after} seconds.",
            headers={"Retry-After": str(retry_after)},
            retryAfter=retry_after,
        )
