"""Icons by a tag: as includes they would take most of the time of a page that shows many."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_HIDDEN = mark_safe(' aria-hidden="true"')


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """An icon of the sprite. ``size`` is ``large`` or nothing; ``label`` is for one that stands
    alone."""
    return _drawn(static("icons/sprite.svg"), name, size, label)


@lru_cache(512)
def _drawn(sprite: str, name: str, size: str, label: str) -> SafeString:
    return format_html(
        '<svg class="icon{}"{}><use href="{}#{}"></use></svg>',
        f" icon--{size}" if size else "",
        format_html(' role="img" aria-label="{}"', label) if label else _HIDDEN,
        sprite,
        name,
    )
