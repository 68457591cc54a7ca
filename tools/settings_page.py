"""Make ``docs/settings.md`` from the settings themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic_core import PydanticUndefined

from markethall.config.environment import Environment

PAGE = Path("docs/settings.md")
_HEAD = """# Settings

Set them in the environment or in a `.env` file beside the Makefile. `markethall doctor` tries what
they name. This page is made from `config/environment.py` by `make docs`.

| variable | default | what it is |
|---|---|---|
"""


def settings_page() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(name) for name in Environment.model_fields)


def _row(name: str) -> str:
    field = Environment.model_fields[name]
    text = field.description or ""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if len(choices) > 1:
        text += " One of " + ", ".join(f"`{choice}`" for choice in choices) + "."
    return f"| `{name.upper()}` | {_default(field.default)} | {text} |\n"


def _default(value: Any) -> str:
    if value is None or value == [] or value is PydanticUndefined:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(settings_page())
