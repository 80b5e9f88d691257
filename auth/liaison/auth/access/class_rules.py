"""The rules of a classification as data, and what a code or a label says by them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from liaison.auth.access.classes import Class

SENSITIVE: Final = Class.PSY | Class.SENS | Class.MINOR | Class.NOTE3P | Class.PROT


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
    labels: Mapping[str, Mapping[str, Label]]
    restricted: frozenset[str]
    psychiatrists: frozenset[str]
    psychiatric_codes: frozenset[str]
    psychiatric_words: tuple[str, ...]

    def sensitive(self, system: str, code: str) -> Class:
        """What the code says by itself, in whatever element of whatever resource: to name it anywhere is to tell it. In
        small letters too."""
        code = code.upper()
        found = (
            rule.classes & SENSITIVE
            for rule in self.besides
            if rule.system == system != "" and not rule.statuses and any(_fits(code, one.upper()) for one in rule.codes)
        )
        return reduce(or_, found, Class(0))

    def label(self, system: str, code: str) -> Label | None:
        for known, codes in self.labels.items():
            if system == known or (known.endswith("*") and system.startswith(known[:-1])):
                return codes.get(code)
        return None
