"""Letters: a template with its values, as subject, text and HTML that mail clients render.

Templates are written with classes; their rules are written into the tags here, because many mail
clients read no style sheet. What cannot be (dark colours, narrow screens) stays in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from css_inline import CSSInliner
from django.conf import settings
from django.template.loader import render_to_string

from markethall.foundation.messaging.brands import Brand
from markethall.foundation.platform.queries import platform_settings


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as its reader gets it."""

    subject: str
    text: str
    html: str


def compose(
    template: str,
    *,
    to: str,
    brand: Brand,
    context: dict[str, Any],
    unsubscribe_url: str = "",
) -> Letter:
    """Fill ``mail/<template>.html``, ``.txt`` and ``.subject.txt``."""
    values = {
        "site_url": settings.SITE_URL,
        "support_email": platform_settings().support_email,
        "recipient": to,
        "brand": brand,
        "unsubscribe_url": unsubscribe_url,
        **context,
    }
    subject = re.sub(r"\s+", " ", render_to_string(f"mail/{template}.subject.txt", values)).strip()
    values["subject"] = subject
    body = render_to_string(f"mail/{template}.txt", values).strip()
    foot = render_to_string("mail/footer.txt", values).strip()
    html = render_to_string(f"mail/{template}.html", values)
    return Letter(subject[:255], f"{body}\n\n-- \n{foot}\n", _inliner().inline(html))


@cache
def _inliner() -> CSSInliner:
    return CSSInliner(keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)
