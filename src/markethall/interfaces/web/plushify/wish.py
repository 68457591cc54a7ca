"""What somebody has chosen so far: the wizard keeps it in the address, so that Back, Reload and
a bookmark work, and no step needs a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from markethall.content.imaging.errors import NoSuchUpload
from markethall.content.imaging.models import Size, Style
from markethall.content.imaging.rules import MAX_PROMPT, check_prompt
from markethall.kernel.errors import Invalid

STEPS = ("Photo", "Style", "Details", "Review")


@dataclass(frozen=True, slots=True)
class Wish:
    """Empty strings are choices not made yet."""

    photo: UUID | None = None
    style: str = ""
    size: str = ""
    prompt: str = ""

    @classmethod
    def read(cls, chosen: Mapping[str, str]) -> Wish:
        """The choices of an address or a form. What is no choice counts as not chosen; raises
        NoSuchUpload for a photo that cannot be one."""
        try:
            photo = UUID(chosen["photo"]) if chosen.get("photo") else None
        except ValueError:
            raise NoSuchUpload("This photo is gone. Upload it again.") from None
        style, size = chosen.get("style", ""), chosen.get("size", "")
        return cls(
            photo=photo,
            style=style if style in Style.values else "",
            size=size if size in Size.values else "",
            prompt=chosen.get("prompt", ""),
        )

    @property
    def fault(self) -> str:
        """What is wrong with the prompt, if anything."""
        try:
            check_prompt(self.prompt.replace("\r\n", "\n"))
        except Invalid:
            return f"That is {len(self.prompt)} characters; {MAX_PROMPT} is the most."
        return ""

    @property
    def step(self) -> int:
        """The first step, counted from 1, whose choice is missing."""
        if self.photo is None:
            return 1
        if not self.style:
            return 2
        return 4 if self.size and not self.fault else 3

    def url(self, upto: int = 4) -> str:
        """The address of step ``upto`` with the choices made before it."""
        made = {"photo": self.photo, "style": self.style, "size": self.size, "prompt": self.prompt}
        kept = list(made.items())[: {1: 0, 2: 1, 3: 2, 4: 4}[upto]]
        query = urlencode({name: value for name, value in kept if value})
        return f"/plushify/create?{query}" if query else "/plushify/create"
