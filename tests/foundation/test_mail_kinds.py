"""Every mail template has a kind, and every kind's template is there."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps

from markethall.foundation.messaging.rules import KINDS


def test_templates_and_kinds_are_the_same() -> None:
    folder = Path(apps.get_app_config("web").path) / "templates" / "mail"
    subjects = {path.name.removesuffix(".subject.txt") for path in folder.glob("*.subject.txt")}
    assert subjects == set(KINDS)
