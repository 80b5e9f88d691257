"""The rules of a classification as data, and what a code or a label says by them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

from liaison.auth.access.class_words import Index, Words, indexed, meant
from liaison.auth.access.classes import Class
from liaison.auth.access.systems import SAID_ONLY

SENSITIVE: Final = Class.PSY | Class.SENS | Class.MINOR | Class.NOTE3P | Class.PROT

_BETWEEN: Final = re.compile(r"[^0-9A-Z.-]+")
_LIKE_A_CODE: Final = re.compile(r"\b[0-9A-Z][0-9A-Z][0-9][0-9A-Z]*(?:\.[0-9A-Z]+)?\b")
"""Of a classification of diseases or of medicines: capitals and figures, three at least, the third a figure."""


class Coding(NamedTuple):
    element: str
    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Rule:
    classes: Class
    types: frozenset[str]
    elements: frozenset[str]
    system: str
    codes: tuple[str, ...]
    statuses: frozenset[str] = frozenset()

    def holds(self, type_: str, status: str, codings: Iterable[Coding]) -> bool:
        if self.types and type_ not in self.types:
            return False
        if self.statuses and status not in self.statuses:
            return False
        return any(
            coding.element in self.elements
            and self.system in ("", coding.system)
            and any(_matches(coding, code) for code in self.codes)
            for coding in codings
        )


def _matches(coding: Coding, pattern: str) -> bool:
    if coding.element == "questionnaire":
        return pattern.startswith("/") and pattern.removesuffix("*") in coding.code
    return _fits(coding.code, pattern)


def _parts(code: str) -> list[str]:
    return [code.upper(), *(part for part in _BETWEEN.split(code.upper()) if part != code.upper())]


def _fits(code: str, pattern: str) -> bool:
    return code.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern


@dataclass(frozen=True, slots=True)
class Label:
    """What one label (system, code) does: replaces the class, or adds to it."""

    classes: Class
    replaces: bool


@dataclass(frozen=True, slots=True, eq=False)  # one object for each text: it is looked up by for every resource
class Rules:
    version: str
    dated: date
    types: Mapping[str, Class]
    fixed: frozenset[str]
    instead: tuple[Rule, ...]
    besides: tuple[Rule, ...]
    words: tuple[Words, ...]
    labels: Mapping[str, Mapping[str, Label]]
    restricted: frozenset[str]
    psychiatrists: frozenset[str]
    psychiatric_codes: frozenset[str]
    psychiatric_words: tuple[str, ...]

    def sensitive(self, system: str, code: str) -> Class:
        """What the code says by itself, in whatever element of whatever resource: to name it anywhere is to tell it. In
        small letters too, and as a part of an expression (a cluster of ICD-11, a refinement of SNOMED CT). Without a system,
        by whichever of the rules has it: what is missing closes."""
        found = (
            rule.classes & SENSITIVE
            for rule in self.besides
            if rule.system
            and (system == rule.system or (not system and rule.system not in SAID_ONLY))
            and not rule.statuses
            and any(_fits(part, one.upper()) for part in _parts(code) for one in rule.codes)
        )
        return reduce(or_, found, Class(0))

    def told(self, text: str) -> Class:
        """What a text says in the place of a code: by its words, and by what looks like a code in it."""
        codes = (self.sensitive("", one) & SENSITIVE for one in _LIKE_A_CODE.findall(text))
        return reduce(or_, codes, meant(_index(self), text, prose=False))

    def said(self, text: str) -> Class:
        """What a sentence says by its words, denied or not: that no HIV was found tells that it was looked for. What looks like
        a code in it is as often a bed or a dose."""
        return meant(_index(self), text, prose=True)

    def label(self, system: str, code: str) -> Label | None:
        for known, codes in self.labels.items():
            if system == known or (known.endswith("*") and system.startswith(known[:-1])):
                return codes.get(code)
        return None


@lru_cache(8)
def _index(rules: Rules) -> Index:
    return indexed(rules.words)
