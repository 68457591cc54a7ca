"""Shapes shared by all areas. JSON is camelCase; unknown fields are refused on the way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from ninja import Field, Schema
from pydantic import (
    AfterValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PlainSerializer,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from markethall.kernel import money
from markethall.kernel.pagination import Page

ItemT = TypeVar("ItemT")

# RFC 3339 in UTC, with Z.
Time = Annotated[
    datetime,
    PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"), return_type=str),
]


def _storable(value: Any) -> Any:
    """``value``, unless a text in it has a NUL, which PostgreSQL does not keep."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("A text has no NUL characters.")
    if isinstance(value, list | tuple | dict):
        for each in value:
            _storable(each)
            if isinstance(value, dict):
                _storable(value[each])
    return value


def _in_utc(value: datetime) -> datetime:
    """``value`` in UTC, which it is in already when it names no zone."""
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("This time lies outside the years 1 to 9999 in UTC.") from None


# A time that a caller names.
Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Plain(Schema):
    """A shape that is filled from plain values, objects or its own kind, as pydantic does it.

    Ninja looks each field up as a template would, which takes half of the time of a list.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _run_root_validator(cls, values: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        return handler(values)


class Asked(Plain):
    """Base of whatever a caller sends: texts that can be kept."""

    _texts = field_validator("*", mode="after")(_storable)


class Out(Plain):
    """Base of answers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class In(Asked):
    """Base of request bodies."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        str_strip_whitespace=True,
    )


class Money(Out):
    """An amount in minor units of its ISO 4217 currency."""

    amount: int = Field(examples=[499])
    currency: str = Field(examples=["USD"])

    @classmethod
    def of(cls, value: money.Money) -> Money:
        return cls(amount=value.amount, currency=value.currency)


class FieldProblem(Out):
    path: str
    message: str
    code: str


class ProblemDocument(Out):
    """RFC 9457. ``code`` is stable; ``errors`` names fields by their path."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] | None = None


class Listing(Out, Generic[ItemT]):
    """One page of a list; ask for the next with ``?cursor=``."""

    items: list[ItemT]
    next_cursor: str | None = None


class Paging(Asked):
    """Query parameters of every list."""

    limit: int = Field(20, ge=1, le=100, description="Items a page, 1 to 100.")
    cursor: str | None = Field(None, max_length=500, description="nextCursor of the page before.")


def listing(page: Page[Any], show: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of rows as a listing document."""
    return {"items": [show(row) for row in page.items], "next_cursor": page.next_cursor}


def problems(*statuses: int) -> dict[int, None]:
    """Responses of an endpoint that are problem documents; 422 and 429 where they can occur.

    They are raised, never returned: django-ninja needs no model of them, and to build one for each
    status of each endpoint would take most of a second at every start.
    """
    return dict.fromkeys(statuses)


def as_items(rows: Sequence[Any]) -> dict[str, Any]:
    """A complete, short list as a listing document."""
    return {"items": list(rows), "next_cursor": None}
