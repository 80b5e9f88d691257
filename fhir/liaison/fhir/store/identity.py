"""What identifies a resource or a person across patients, as tokens under the territory's identity key.

Only four things have shared tokens: business identifiers (the INS is one), a person's normalised family name, given
name and birth date together, the first three letters of the family name with the birth date (the question that an
identity desk asks first, RNIV), and, as locks only, the criteria of conditional requests.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from liaison.fhir.store.contract import Tree
from liaison.fhir.vault import Vault, context

IDENTIFIER: Final = 1
TRAITS: Final = 2
CRITERIA: Final = 3
INITIALS: Final = 4
"""Spaces: what was tokenised. CRITERIA never reaches the table identity_token; INITIALS never locks."""

LETTERS: Final = 3


class IdentityToken(NamedTuple):
    space: int
    token: bytes


_LETTERS = re.compile(r"[^A-Z]+")


def normalise(name: str) -> str:
    """A name as it is compared: capital letters A to Z. 'Lefèvre-Née', 'LEFEVRE NEE' and 'lefevre née' are one."""
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae"))
    return _LETTERS.sub("", plain.upper())


def identifier_token(vault: Vault, system: str, value: str) -> bytes:
    return vault.identity_token(IDENTIFIER, context(system, value))


def traits_token(vault: Vault, family: str, given: str, birth_date: str) -> bytes:
    """`birth_date` is YYYY-MM-DD."""
    return vault.identity_token(TRAITS, context(normalise(family), normalise(given), birth_date))


def initials_token(vault: Vault, family: str, birth_date: str) -> bytes:
    """Of the first three letters of the name, or all of a shorter one."""
    return vault.identity_token(INITIALS, context(normalise(family)[:LETTERS], birth_date))


def criteria_token(vault: Vault, type_: str, query: str) -> bytes:
    return vault.identity_token(CRITERIA, context(type_, query))


def identifiers(tree: Tree) -> Iterator[tuple[str, str]]:
    """(system, value) of the resource's own business identifiers."""
    given = tree.get("identifier")
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and isinstance(value := one.get("value"), str):
            system = one.get("system")
            yield (system if isinstance(system, str) else ""), value


def traits(tree: Tree) -> Iterator[tuple[str, str, str]]:
    """(family, given, birth date) of a Patient, for each of its names and each given name."""
    birth_date = tree.get("birthDate")
    if tree.get("resourceType") != "Patient" or not isinstance(birth_date, str) or len(birth_date) != 10:
        return
    for name in tree.get("name") or ():
        if isinstance(family := name.get("family"), str):
            for given in name.get("given") or ():
                if isinstance(given, str):
                    yield family, given, birth_date


def tokens(vault: Vault, tree: Tree) -> set[IdentityToken]:
    """What the table identity_token holds of a resource."""
    found = {IdentityToken(IDENTIFIER, identifier_token(vault, *one)) for one in identifiers(tree)}
    for family, given, birth_date in traits(tree):
        found.add(IdentityToken(TRAITS, traits_token(vault, family, given, birth_date)))
        found.add(IdentityToken(INITIALS, initials_token(vault, family, birth_date)))
    return found


def identifier_of(query: str) -> tuple[str, str] | None:
    """(system, value) of a search query's one plain `identifier=system|value`; None when there is none such."""
    found = [value for name, value in parse_qsl(query) if name == "identifier"]
    if len(found) != 1 or "," in found[0] or "\\" in found[0]:
        return None
    system, bar, value = found[0].partition("|")
    return (system, value) if bar and value else None
