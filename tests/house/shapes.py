"""What a vendor's published parameter types say about a request, checked value by value."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, Union

from typing_extensions import get_type_hints


def faults_of(given: Any, shape: Any, *, as_text: bool = False, where: str = "") -> list[str]:
    """What is wrong with ``given``, a value of JSON; of a form when ``as_text``: numbers and
    booleans are words then."""
    options = list(_options(shape))
    if Any in options or not options:
        return []
    if any(_is_enumeration(option) for option in options):  # which newer words may join
        options = [option for option in options if option is not str]
    found = [list(_faults(given, option, as_text, where)) for option in options]
    return min(found, key=len)


def _is_enumeration(shape: Any) -> bool:
    return typing.get_origin(shape) is Literal and typing.get_args(shape) != ("",)


def _options(shape: Any) -> Iterator[Any]:
    origin = typing.get_origin(shape)
    if origin in (Union, types.UnionType):
        for inner in typing.get_args(shape):
            yield from _options(inner)
    elif getattr(origin, "__name__", "") in {"NotRequired", "Required"}:
        yield from _options(typing.get_args(shape)[0])
    else:
        yield shape


def _faults(given: Any, shape: Any, as_text: bool, where: str) -> Iterator[str]:
    origin, inner = typing.get_origin(shape), typing.get_args(shape)
    if hasattr(shape, "__required_keys__"):
        yield from _of_record(given, shape, as_text, where)
    elif origin is Literal:
        if given not in inner:
            yield f"{where}: {given!r} is none of {', '.join(map(str, inner[:9]))}"
    elif origin is list:
        if not isinstance(given, list):
            yield f"{where}: {given!r} is no list"
            return
        for number, one in enumerate(given):
            yield from faults_of(one, inner[0], as_text=as_text, where=f"{where}[{number}]")
    elif origin is dict:
        if not isinstance(given, dict):
            yield f"{where}: {given!r} is no mapping"
            return
        for key, one in given.items():
            yield from faults_of(one, inner[1], as_text=as_text, where=f"{where}[{key}]")
    elif not _is(given, shape, as_text):
        yield f"{where}: {given!r} is no {shape}"


def _of_record(given: Any, shape: Any, as_text: bool, where: str) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{where}: {given!r} is no mapping"
        return
    names = {"StripeContext": str, "Mapping": dict}
    hints = get_type_hints(shape, localns=names, include_extras=True)
    for name in sorted(shape.__required_keys__ - set(given)):
        if typing.get_origin(hints[name]) is not NotRequired:
            yield f"{where}: {name} is missing"
    for name, value in given.items():
        if name not in hints:
            yield f"{where}: there is no parameter {name}"
        else:
            yield from faults_of(value, hints[name], as_text=as_text, where=f"{where}.{name}")


def _is(given: Any, shape: Any, as_text: bool) -> bool:
    if shape is type(None):
        return given is None
    if not isinstance(shape, type):
        return True  # a name that only type checkers know
    if as_text and shape in (int, float, bool):
        words = {bool: given in ("true", "false"), int: str(given).lstrip("-").isdigit()}
        return bool(words.get(shape, str(given).replace(".", "", 1).isdigit()))
    if shape is int:
        return isinstance(given, int) and not isinstance(given, bool)
    return isinstance(given, shape) if shape in (str, bool, float) else not isinstance(given, dict)
