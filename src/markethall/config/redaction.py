"""Takes secrets and personal data out of text that leaves the process: logs, error reports."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from markethall.config.environment import Environment

REMOVED = "[removed]"
_SECRET_SETTINGS = re.compile(r"(key|secret|password|token|dsn)s?$")
_PUBLIC_SETTINGS = {"stripe_publishable_key", "sendgrid_webhook_key", "strict_passwords"}
_SHORTEST = 6  # characters; what is shorter is a word that other text holds too

_TELLING = r"[\w-]*(?:password|secret|token|api[_-]?key|cookie|authorization|signature)[\w-]*"
_SECRET_NAME = re.compile(_TELLING, re.IGNORECASE)
_LINKS = "reset-password|verify-email|files|track|unsubscribe"
# What is secret or personal by its looks, and what stands in its place. No text is searched that
# lacks what all of a kind have: most that is logged has nothing of it.
_LOOKS: tuple[tuple[Callable[[str], bool], re.Pattern[str], str], ...] = (
    (lambda text: "@" in text, re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (
        lambda text: len(text.split(None, 1)) > 1,
        re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE),
        rf"\1 {REMOVED}",
    ),
    (
        lambda text: "_" in text,
        re.compile(r"\b(sk|rk|whsec|re|SG|polar_\w+)_[\w./+=-]{8,}"),
        REMOVED,
    ),
    (
        lambda text: "=" in text or ":" in text,
        re.compile(
            rf"\b({_TELLING}[\"']?\s*[=:]\s*)(?!\[removed\])"
            r"(?:b?\"[^\"]*\"|b?'[^']*'|[^\s,;&})\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{REMOVED}",
    ),
    (
        lambda text: "/" in text,
        re.compile(rf"(/(?:{_LINKS})/)[\w:.~=-]{{8,}}"),
        rf"\1{REMOVED}",
    ),
)


class Redactor:
    """Removes known secrets wherever they stand, and the rest by its looks."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {value for value in secrets if len(value) >= _SHORTEST}
        self._known = sorted(found, key=len, reverse=True)
        self._any_known = re.compile("|".join(map(re.escape, self._known)))

    def text(self, text: str) -> str:
        """``text`` without what must not leave."""
        if any(secret in text for secret in self._known):
            text = self._any_known.sub(REMOVED, text)
        for can_hold, pattern, instead in _LOOKS:
            if can_hold(text):
                text = pattern.sub(instead, text)
        return text

    def tree(self, value: Any) -> Any:
        """The same for all text in nested lists and mappings, and what secret names name."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                key: REMOVED if each and _SECRET_NAME.fullmatch(str(key)) else self.tree(each)
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.tree(each) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))


def redactor(environment: Environment) -> Redactor:
    """A redactor that knows the secrets of these settings."""
    return Redactor(_secrets(environment))


def _secrets(environment: Environment) -> Iterable[str]:
    for name in type(environment).model_fields:
        if not _SECRET_SETTINGS.search(name) or name in _PUBLIC_SETTINGS:
            continue
        value = getattr(environment, name)
        for given in value if isinstance(value, list) else [value]:
            yield from _spellings(str(given)) if given else ()
    if environment.database_url:
        password = urlsplit(environment.database_url).password or ""
        yield password
        yield unquote(password)


def _spellings(secret: str) -> Iterable[str]:
    """A secret as it is set, and as it goes over the wire."""
    yield secret
    yield quote(secret, safe="")
    _, colon, password = secret.partition(":")
    if colon and "//" not in secret:  # user:password, for HTTP's basic authentication
        yield password
        yield b64encode(secret.encode()).decode()
    if "://" in secret:  # a DSN: its key is the user
        yield urlsplit(secret).username or ""
    if secret.startswith("whsec_"):
        yield secret.removeprefix("whsec_")
