"""Countries by their ISO 3166-1 codes, and what their postal codes look like."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

# Reserved codes, and territories that are no place to send to.
_NO_COUNTRY = frozenset(
    ["AC", "AQ", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)

# By country: how a postal code is written, and one as an example.
_POSTAL = {
    "AT": (r"\d{4}", "1010"),
    "AU": (r"\d{4}", "2000"),
    "BE": (r"\d{4}", "1000"),
    "BG": (r"\d{4}", "1000"),
    "CA": (r"[A-Z]\d[A-Z] ?\d[A-Z]\d", "K1A 0B1"),
    "CH": (r"\d{4}", "8001"),
    "CY": (r"\d{4}", "1010"),
    "CZ": (r"\d{3} ?\d{2}", "110 00"),
    "DE": (r"\d{5}", "10115"),
    "DK": (r"\d{4}", "1050"),
    "EE": (r"\d{5}", "10111"),
    "ES": (r"\d{5}", "28001"),
    "FI": (r"\d{5}", "00100"),
    "FR": (r"\d{5}", "75001"),
    "GB": (r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", "SW1A 1AA"),
    "GR": (r"\d{3} ?\d{2}", "104 31"),
    "HR": (r"\d{5}", "10000"),
    "HU": (r"\d{4}", "1011"),
    "IE": (r"[A-Z]\d[\dW] ?[A-Z\d]{4}", "D02 AF30"),
    "IT": (r"\d{5}", "00118"),
    "JP": (r"\d{3}-?\d{4}", "100-0001"),
    "LI": (r"\d{4}", "9490"),
    "LT": (r"(LT-)?\d{5}", "01100"),
    "LU": (r"(L-)?\d{4}", "1111"),
    "LV": (r"(LV-)?\d{4}", "LV-1010"),
    "MT": (r"[A-Z]{3} ?\d{4}", "VLT 1117"),
    "NL": (r"\d{4} ?[A-Z]{2}", "1011 AB"),
    "NO": (r"\d{4}", "0150"),
    "NZ": (r"\d{4}", "6011"),
    "PL": (r"\d{2}-\d{3}", "00-001"),
    "PT": (r"\d{4}-\d{3}", "1000-001"),
    "RO": (r"\d{6}", "010011"),
    "SE": (r"\d{3} ?\d{2}", "111 20"),
    "SG": (r"\d{6}", "018956"),
    "SI": (r"\d{4}", "1000"),
    "SK": (r"\d{3} ?\d{2}", "811 01"),
    "US": (r"\d{5}(-\d{4})?", "10001"),
}


@cache
def countries() -> dict[str, str]:
    """The English names of all countries by code, in the order of their names."""
    named = {
        code: name
        for code, name in Locale("en").territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in _NO_COUNTRY
    }
    return dict(sorted(named.items(), key=lambda item: item[1]))


def is_country(code: str) -> bool:
    """Whether ``code`` is a country's."""
    return code in countries()


def postal_code_fault(country: str, code: str) -> str:
    """What is wrong with a postal code, for people; empty when nothing is. Of countries whose
    codes are not known here, any is right, and none."""
    if country not in _POSTAL:
        return ""
    shape, example = _POSTAL[country]
    if not code:
        return f"Give the postal code, like {example}."
    if not re.fullmatch(shape, code.upper()):
        return f"{countries()[country]}: a postal code looks like {example}."
    return ""
