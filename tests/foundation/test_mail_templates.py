"""Every mail there is can be written: as HTML, as text, with a subject."""

from __future__ import annotations

import re
from pathlib import Path

from django.template.loader import get_template

import markethall
from markethall.foundation.messaging.rules import KINDS

SOURCES = Path(markethall.__file__).resolve().parent
FOLDER = SOURCES / "interfaces" / "web" / "templates" / "mail"
PARTS = {"base.html", "footer.txt", "styles.css"}
_NAMED = re.compile(r"send_mail\(\s*f?\"([a-z_{}]+)\"|_mail\w*\(\s*\"([a-z_]+)\"")


def test_each_has_its_three_parts_and_no_part_is_left_over() -> None:
    wanted = {f"{name}{ending}" for name in KINDS for ending in (".html", ".txt", ".subject.txt")}
    assert {path.name for path in FOLDER.iterdir()} - PARTS == wanted
    for name in wanted:
        get_template(f"mail/{name}")


def test_only_known_mails_are_sent_and_each_of_them_by_somebody() -> None:
    code = "\n".join(
        path.read_text()
        for path in SOURCES.rglob("*.py")
        if "migrations" not in path.parts and path.name not in {"rules.py", "mail_samples.py"}
    )
    named = {first or second for first, second in _NAMED.findall(code)}
    unknown = {name for name in named - set(KINDS) if "{" not in name}
    assert unknown == set()
    written = {name for name in KINDS if f'"{name}"' in code}
    assert set(KINDS) - written == {"oauth_linked", "oauth_unlinked"}  # f"oauth_{act}ed"
