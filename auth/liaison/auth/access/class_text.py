"""The text of a classification: what is packaged, and how one is read. `classification.yaml` says what its sections mean."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, lru_cache, reduce
from importlib import resources
from operator import or_
from typing import Any, Final

import yaml

from liaison.auth.access import yaml_text
from liaison.auth.access.class_rules import Label, Rule, Rules
from liaison.auth.access.class_words import Words
from liaison.auth.access.classes import Class
from liaison.auth.access.systems import called
from liaison.auth.access.table import BadTable
from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.search.folding import folded


@cache
def packaged_text() -> str:
    """The file shipped with this version, as it is."""
    return resources.files(__package__).joinpath("classification.yaml").read_text("utf-8")


@lru_cache(8)
def parse(text: str) -> Rules:
    """Raises BadTable for anything that is not understood."""
    try:
        return _parse(yaml_text.load(text))
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise BadTable(f"the classification lacks or misnames {error}") from None


_WORDS: Final = {
    "version", "date", "types", "fixed", "instead", "besides", "words", "labels", "restricted", "psychiatrists", "psychiatric-services"
}  # fmt: skip


def _parse(data: Mapping[str, Any]) -> Rules:
    if unknown := data.keys() - _WORDS:
        raise ValueError(f"unknown words: {sorted(unknown)}")
    if type(data["date"]) is not date:
        raise ValueError(f"date: {data['date']!r} is not a day")
    types = [one for named in data["types"].values() for one in named]
    if unknown := ({*types, *data["fixed"]} - RESOURCE_TYPES) or {one for one in types if types.count(one) > 1}:
        raise ValueError(f"resource types unknown, or in two classes: {sorted(unknown)}")
    service = data["psychiatric-services"]
    return Rules(
        str(data["version"]),
        data["date"],
        {type_: Class[name] for name, types in data["types"].items() for type_ in types},
        frozenset(data["fixed"]),
        tuple(_rule(rule) for rule in data["instead"]),
        tuple(_rule(rule) for rule in data["besides"]),
        tuple(_spoken(one) for one in data["words"]) if "words" in data else parse(packaged_text()).words,
        {called(_text(label["system"])): _label(label) for label in data["labels"]},
        frozenset(_texts(data["restricted"])),
        frozenset(_texts(data["psychiatrists"])),
        frozenset(_texts(service["codes"])),
        _texts(service["words"]),
    )


def _bits(names: Iterable[str]) -> Class:
    """Here a name is one bit, never a legal class with all its parts: a resource has one place in it."""
    return reduce(or_, (Class[name] for name in names))


def _texts(given: object) -> tuple[str, ...]:
    """A list of texts: a number without quotes is none, and matches no code."""
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"a list of quoted texts: {given!r}")
    return tuple(given)


def _text(given: object) -> str:
    return _texts([given])[0]


def _rule(data: Mapping[str, Any]) -> Rule:
    if unknown := data.keys() - {"classes", "types", "in", "system", "codes", "statuses"}:
        raise ValueError(f"unknown words in a classification rule: {sorted(unknown)}")
    return Rule(
        _bits(data["classes"]),
        frozenset(_texts(data.get("types", ()))),
        frozenset(_texts(data["in"])),
        called(_text(data.get("system", ""))),
        _texts(data["codes"]),
        frozenset(_texts(data.get("statuses", ()))),
    )


def _spoken(data: Mapping[str, Any]) -> Words:
    if unknown := data.keys() - {"classes", "words", "prose", "unless"}:
        raise ValueError(f"unknown words in a rule of words: {sorted(unknown)}")
    given, unless = _texts(data["words"]), _texts(data.get("unless", ()))
    if unfolded := [one for one in (*given, *unless) if not folded(one) or one.removesuffix("*") != folded(one)]:
        raise ValueError(f"words without accents, capitals and signs: {unfolded}")
    if type(prose := data.get("prose", True)) is not bool:
        raise ValueError(f"prose is true or false: {prose!r}")
    return Words(_bits(data["classes"]), given, prose, unless)


def _label(data: Mapping[str, Any]) -> dict[str, Label]:
    found = {code: Label(Class[code], False) for code in data.get("adds", ())}
    found |= {code: Label(Class[code], True) for code in data.get("replaces", ())}
    found |= {code: Label(Class[name], False) for code, name in data.get("means", {}).items()}
    found |= {code: Label(Class[name], True) for code, name in data.get("also", {}).items()}
    return found
