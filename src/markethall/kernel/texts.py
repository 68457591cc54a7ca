"""What of a text is not there to be read: characters that control a machine, cannot be seen, or
turn the writing around them. What somebody types is kept and shown without them."""

from __future__ import annotations

import re
import unicodedata

# They only join or part letters, of some scripts and of emoji.
_JOINERS = "\u200c\u200d"
_BREAKS = {"Zl", "Zp"}
_GONE = {"Cc", "Cf", "Co", "Cs"}
_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x85]")


def is_unseen(sign: str) -> bool:
    """Whether a character is no part of what one reads. What only joins or parts letters is."""
    return unicodedata.category(sign)[0] == "C" and sign not in _JOINERS


def one_line(text: str) -> str:
    """``text`` on one line: what controls a machine becomes a blank, what cannot be seen goes."""
    seen = "".join(
        " " if unicodedata.category(sign) in _BREAKS | {"Cc"} else sign
        for sign in text
        if unicodedata.category(sign) not in _GONE - {"Cc"} or sign in _JOINERS
    )
    return " ".join(seen.split())


def paragraphs(text: str) -> str:
    """``text`` with its lines and tabs, without all else that cannot be seen."""
    return "".join(
        sign
        for sign in _LINE_END.sub("\n", text)
        if sign in "\n\t" or sign in _JOINERS or unicodedata.category(sign) not in _GONE
    ).strip()
