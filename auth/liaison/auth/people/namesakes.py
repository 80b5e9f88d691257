"""Whether two names may be those of one person: what a person says of somebody (an opposition above all) is to follow them,
also where they come under a name without a number, or with another one.

Words are compared without accents, case, hyphens and order, an initial with the word that it begins; one name may have more
of them than the other. A name that is spelled otherwise is another one: whoever enters somebody answers for who that is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.fhir.store.identity import normalise

TAG: Final = {"system": vocabulary.DIRECTORY, "code": "namesake"}
"""Practitioner.meta.tag of somebody who is said to be another than the one whom the directory knows by that name. Inactive,
without a right, until an administrator has found out."""
_BETWEEN: Final = re.compile(r"[^\w]+|_")
_FEWEST: Final = 2
_PARTICLE: Final = 2


def names_of(practitioner: Mapping[str, Any]) -> list[str]:
    """Every name that the directory has of somebody, former ones too, as a whole and in its parts."""
    found = []
    for name in practitioner.get("name") or ():
        found += [
            str(name.get("text", "")),
            " ".join([*map(str, name.get("given") or ()), str(name.get("family", ""))]),
        ]
    return found


def may_be(practitioner: Mapping[str, Any], name: str) -> bool:
    return any(alike(one, name) for one in names_of(practitioner))


def alike(one: str, other: str) -> bool:
    """Whether every word of the shorter name is one of the longer, or their initials are. A single word tells nobody."""
    fewer, more = sorted((words(one), words(other)), key=len)
    return len(fewer) >= _FEWEST and all(any(_same(word, its) for its in more) for word in fewer)


def words(name: str) -> list[str]:
    return sorted({normalise(word) for word in _BETWEEN.split(name)} - {""})


def telling(name: str) -> list[str]:
    """The words, as they are written, by one of which everyone of an alike name is found: of two alike names one has every
    word of the other, so they share a word that is no initial, or have none. Particles find too many, and are left out where
    there is another word."""
    found = [word for word in _BETWEEN.split(name) if len(word) > 1]
    return sorted({word for word in found if len(word) > _PARTICLE} or set(found))


def is_waiting(practitioner: Mapping[str, Any]) -> bool:
    return any(_is_tag(tag) for tag in (practitioner.get("meta") or {}).get("tag") or ())


def decided(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The same, of somebody about whom an administrator has decided."""
    others = [tag for tag in meta.get("tag") or () if not _is_tag(tag)]
    rest = {name: value for name, value in meta.items() if name != "tag"}
    return {**rest, "tag": others} if others else rest


def _is_tag(tag: Mapping[str, Any]) -> bool:
    return (tag.get("system"), tag.get("code")) == (TAG["system"], TAG["code"])


def _same(word: str, other: str) -> bool:
    return word == other or (min(len(word), len(other)) == 1 and word[0] == other[0])


def among(practitioners: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [one for one in practitioners if may_be(one, name)]
