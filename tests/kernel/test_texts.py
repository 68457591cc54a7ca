from __future__ import annotations

import pytest

from markethall.kernel.texts import is_unseen, one_line, paragraphs


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada\u202e ecalevoL", "Ada ecalevoL"),
        ("\u2066Ada\u2069\u200f\ufeff", "Ada"),
        ("Ada\x1b[31m\tLovelace\r\n", "Ada [31m Lovelace"),
        ("A\u2028B\u2029C\x85D", "A B C D"),
        ("a\U000e0041\u00adb", "ab"),
        ("\u202e\u2066 ", ""),
        ("می‌خواهم 👩‍🔧 Zoë ŁÓDŹ", "می‌خواهم 👩‍🔧 Zoë ŁÓDŹ"),
        ("مرحبا שלום", "مرحبا שלום"),
    ],
)
def test_a_line_keeps_what_can_be_read(typed: str, kept: str) -> None:
    assert one_line(typed) == kept
    assert one_line(kept) == kept
    assert not any(is_unseen(sign) for sign in kept)


def test_paragraphs_keep_their_lines() -> None:
    typed = "  One\u202e\r\n\ttwo\x00\x07\rthree\u2028four\n"
    assert paragraphs(typed) == "One\n\ttwo\nthree\nfour"
