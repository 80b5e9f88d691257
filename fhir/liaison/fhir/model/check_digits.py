"""Check digits of the identifiers used in France: Luhn's (RPPS, FINESS, SIREN, SIRET) and the key of a NIR or NIA.

A wrong one is doubtful, not invalid: published examples and old software are full of them, so what is read from elsewhere
is reported and kept. Only what is typed here as proof of who someone is has to be right.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

INS_SYSTEMS: Final = frozenset(f"urn:oid:1.2.250.1.213.1.4.{number}" for number in (8, 9, 10, 11))
"""Of a matricule: NIR, NIA (waiting for one), and those of tests and demonstrations."""

_NIR: Final = re.compile(r"\d{5}(?:\d{2}|2[AB])\d{8}", re.ASCII)
_LUHN: Final = {
    # PractitionerRole.identifier has the same system for the number of an activity, which has no key.
    ("Practitioner", "https://rpps.esante.gouv.fr"): ("RPPS", (11,)),
    ("Organization", "https://finess.esante.gouv.fr"): ("FINESS", (9,)),
    ("Organization", "http://finess.sante.gouv.fr"): ("FINESS", (9,)),
    ("Organization", "https://sirene.fr"): ("SIREN or SIRET", (9, 14)),
}
_POST_OFFICE: Final = "356000000"
_CORSICA: Final = ("2A", "2B")


def luhn_digit(digits: str) -> str:
    """The digit that makes `digits` + it pass the Luhn check."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def luhn_ok(digits: str) -> bool:
    """True when the last digit is the Luhn digit of the others."""
    return digits.isascii() and digits.isdigit() and luhn_digit(digits[:-1]) == digits[-1]


def nir_key(thirteen: str) -> str:
    """The two-digit key of a NIR or NIA: 97 minus the number modulo 97, Corsican departments read as 19 and 18."""
    number = int(thirteen.replace("2A", "19").replace("2B", "18"))
    return f"{97 - number % 97:02d}"


def ins_ok(value: str) -> bool:
    """Whether a matricule has its fifteen characters and the right key."""
    return _NIR.fullmatch(value) is not None and nir_key(value[:13]) == value[13:]


def doubtful(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(FHIRPath, what is doubtful) of each business identifier of the resource; no value is repeated."""
    type_, given = str(tree.get("resourceType")), tree.get("identifier")
    for place, one in enumerate(given if isinstance(given, list) else ()):
        system, value = (one.get("system"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(value, str) or not isinstance(system, str):
            continue
        where = f"{type_}.identifier[{place}].value"
        if type_ == "Patient" and system in INS_SYSTEMS and not ins_ok(value):
            yield where, "the key of this INS matricule is wrong"
        name, lengths = _LUHN.get((type_, system), ("", ()))
        if name and not _well_made(value, lengths):
            yield where, f"the check digit of this {name} is wrong"


def _well_made(value: str, lengths: tuple[int, ...]) -> bool:
    if value.startswith(_CORSICA):
        return len(value) in lengths  # how letters enter the check of a FINESS is not published
    if len(value) == 14 and value.startswith(_POST_OFFICE):
        return value.isascii() and value.isdigit() and sum(map(int, value)) % 5 == 0
    return len(value) in lengths and luhn_ok(value)
