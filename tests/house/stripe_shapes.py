"""What the types of Stripe's SDK say: which object an address answers, and what is in it."""

from __future__ import annotations

import re
import typing
from functools import cache
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, ForwardRef, Literal, Union

from stripe._list_object import ListObject
from stripe._object_classes import get_object_class
from stripe._stripe_object import StripeObject, UntypedStripeObject

import stripe

_CALL = re.compile(
    r'^    def \w+\([^)]*\) -> "([^"]+)":.*?self\._request\(\s*"(\w+)",\s*"(/v1/[^"]+)"',
    re.DOTALL | re.MULTILINE,
)
_IMPORT = re.compile(r"from (stripe[\w.]*) import \(?\s*(\w+)")


@cache
def answered_kinds() -> list[tuple[str, str, str]]:
    """Method, pattern of the path, and the kind of object that the SDK expects as the answer."""
    found = []
    for file in sorted(Path(stripe.__file__).parent.rglob("*_service.py")):
        source = file.read_text()
        modules = {name: module for module, name in _IMPORT.findall(source)}
        for type, verb, path in _CALL.findall(source):
            names = [name for name in re.findall(r"\w+", type) if name in modules]
            # Of the several kinds of a customer's sources, a card is what the fixtures make.
            name = "Card" if "Card" in names else names[-1]
            kind = getattr(getattr(import_module(modules[name]), name), "OBJECT_NAME", "")
            kind = "list" if "ListObject" in type else kind
            found.append((verb.upper(), re.sub(r"\{\w+\}", "[^/]+", path), kind))
    return sorted(found, key=lambda row: row[1].count("[^/]+"))  # fixed words win


def kind_of(method: str, path: str) -> str:
    """The kind of object at an address; empty when the SDK knows no such address."""
    for verb, pattern, kind in answered_kinds():
        if verb == method and re.fullmatch(pattern, path):
            return kind
    return ""


def whole(thing: dict[str, Any]) -> dict[str, Any]:
    """``thing`` as Stripe would show it: with all fields of its kind and no others, each of its
    type; those it does not name are as empty as the type allows."""
    cls = get_object_class("V1", thing["object"])
    return _record(cls, thing)


def _record(cls: Any, given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, shape in cls.__annotations__.items():
        if name.startswith("_") or typing.get_origin(shape) is typing.ClassVar:
            continue
        if name in given:
            made[name] = _fitted(given[name], shape)
        elif name != "deleted":
            made[name] = _empty(shape)
    return made


def _options(shape: Any) -> list[Any]:
    if typing.get_origin(shape) in (Union, UnionType):
        return [each for inner in typing.get_args(shape) for each in _options(inner)]
    return [shape]


def _empty(shape: Any) -> Any:
    options = _options(shape)
    first = options[0]
    made: Any = {}
    if type(None) in options:
        made = None
    elif typing.get_origin(first) is Literal:
        made = typing.get_args(first)[0]
    elif first in (str, int, bool, float):
        made = first()
    elif _is_list_object(first):
        made = {"object": "list", "data": [], "has_more": False, "url": ""}
    elif typing.get_origin(first) is list:
        made = []
    elif _is_record(first):
        made = _record(first, {})
    return made


def _fitted(value: Any, shape: Any) -> Any:
    options = _options(shape)
    if value is None or (value == "" and type(None) in options):
        return None
    if isinstance(value, str):
        return _word(value, options)
    records = [each for each in options if _is_record(each)]
    if isinstance(value, dict) and records and not {"id", "object"} <= set(value):
        return _record(records[0], value)
    if isinstance(value, list) and any(_is_list_object(each) for each in options):
        return _empty(shape)
    return value


def _word(value: str, options: list[Any]) -> Any:
    """A word of a form as what it stands for."""
    if int in options and re.fullmatch(r"-?\d+", value):
        return int(value)
    if bool in options and value in ("true", "false"):
        return value == "true"
    if float in options and str not in options:
        return float(value)
    return value


def _is_list_object(shape: Any) -> bool:
    return (typing.get_origin(shape) or shape) is ListObject


def _is_record(shape: Any) -> bool:
    if isinstance(shape, ForwardRef) or not isinstance(shape, type):
        return False
    return issubclass(shape, StripeObject) and shape not in (StripeObject, UntypedStripeObject)
