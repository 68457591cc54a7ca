"""Pure rules of addresses that something is sent to, or an invoice made out to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markethall.kernel.countries import is_country, postal_code_fault
from markethall.kernel.errors import FieldError
from markethall.kernel.texts import one_line
from markethall.trade.shipping.errors import AddressInvalid

# Of an address book's fields: how long each may be, and what it is called where it is needed.
LENGTHS = {
    "name": 150,
    "company": 150,
    "line1": 200,
    "line2": 200,
    "city": 100,
    "region": 100,
    "postal_code": 20,
    "country": 2,
    "phone": 32,
}
_NEEDED = {
    "name": "Say whose address this is.",
    "line1": "Give the street and number.",
    "city": "Give the town or city.",
    "country": "Choose a country.",
}
NEED_REGION = {"US": "state", "CA": "province", "AU": "state"}


def checked(address: Mapping[str, Any], path: str) -> dict[str, str]:
    """An address with all its fields, in order. ``path`` is what the caller calls it.

    Raises AddressInvalid with an error for every field that needs another value.
    """
    given = {name: _tidy(address.get(name)) for name in LENGTHS}
    given["country"] = given["country"].upper()
    given["postal_code"] = given["postal_code"].upper()
    faults = [*_faults(given)]
    if faults:
        raise AddressInvalid(
            errors=[FieldError(f"{path}.{_camel(name)}", fault) for name, fault in faults]
        )
    return given


def _faults(given: Mapping[str, str]) -> list[tuple[str, str]]:
    faults = [(name, told) for name, told in _NEEDED.items() if not given[name]]
    faults += [
        (name, f"At most {most} characters.")
        for name, most in LENGTHS.items()
        if len(given[name]) > most and name != "country"
    ]
    country = given["country"]
    if country and not is_country(country):
        return [*faults, ("country", "There is no country of this code.")]
    if country and (told := postal_code_fault(country, given["postal_code"])):
        faults.append(("postal_code", told))
    if country in NEED_REGION and not given["region"]:
        faults.append(("region", f"Give the {NEED_REGION[country]}."))
    if re.search(r"[^0-9 ()+./-]", given["phone"]):
        faults.append(("phone", "A phone number has digits and + ( ) - . / only."))
    return faults


def _tidy(value: Any) -> str:
    return one_line(value if isinstance(value, str) else "")


def _camel(name: str) -> str:
    return "postalCode" if name == "postal_code" else name
