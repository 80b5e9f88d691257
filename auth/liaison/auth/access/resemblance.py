"""Which two identities may be of one person: the doubles that are proposed to whoever keeps identities (RNIV).

A proposal is no decision: a person compares, and merges them or says that they are two. So it may be wrong, and is kept to
what a person would look at twice: the same INS, the same strict traits, or one difference that a slip of the hand makes (a
birth date with one part changed or turned round, a name written otherwise, the name in use taken for that of birth).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any, Final, Literal

from liaison.auth.access.identity import is_merged, matricules
from liaison.auth.access.traits import Traits, traits_of
from liaison.fhir.store.identity import normalise

Likeness = Literal["same-ins", "same-traits", "alike"]
ORDER: Final[tuple[Likeness, ...]] = ("same-ins", "same-traits", "alike")
_CLOSE: Final = 0.75
"""How much of two names is the same, letter by letter, when one may be the other written otherwise."""

Tree = Mapping[str, Any]


def likeness(one: Tree, other: Tree) -> Likeness | None:
    """None for two that nothing brings together, for two different INS, and where one was merged already."""
    if is_merged(one) or is_merged(other):
        return None
    numbers, others = set(matricules(one)), set(matricules(other))
    if numbers and others:
        return "same-ins" if numbers & others else None
    mine, theirs = traits_of(one), traits_of(other)
    if not (mine.searchable and theirs.searchable):
        return None
    if mine.same_as(theirs):
        return "same-traits"
    return "alike" if _one_slip(mine, theirs, _families(one), _families(other)) else None


def pairs(people: Sequence[Tree]) -> list[tuple[int, int, Likeness]]:
    """The places of the two in `people`, those that are surest first. Only what shares three traits or an INS is compared, so
    that a list of thousands is not compared with itself."""
    found = {}
    for first, second in _candidates(people):
        if (first, second) not in found:
            found[first, second] = likeness(people[first], people[second])
    kept = [(first, second, alike) for (first, second), alike in found.items() if alike]
    return sorted(kept, key=lambda one: (ORDER.index(one[2]), one[0], one[1]))


def _candidates(people: Sequence[Tree]) -> Iterator[tuple[int, int]]:
    near: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, tree in enumerate(people):
        for bucket in {*_buckets(traits_of(tree)), *matricules(tree)}:
            near[bucket].append(place)
    for places in near.values():
        yield from combinations(places, 2)


def _buckets(traits: Traits) -> Iterable[tuple[object, ...]]:
    """The strict traits but one, in turn: a slip changes one of them."""
    if traits.searchable:
        for left_out in range(3):
            yield (left_out, *(value for place, value in enumerate(traits[:4]) if place != left_out))


def _one_slip(mine: Traits, theirs: Traits, my_names: frozenset[str], their_names: frozenset[str]) -> bool:
    """Whether they differ in one of name, first name and birth date, by a slip."""
    if mine.birthplace and theirs.birthplace and mine.birthplace != theirs.birthplace:
        return False
    different = [
        name for name in ("family", "given", "birth_date", "sex") if getattr(mine, name) != getattr(theirs, name)
    ]
    match different:
        case ["birth_date"]:
            return _slip_of_date(mine.birth_date, theirs.birth_date)
        case ["given"]:
            return _close(mine.given, theirs.given)
        case ["family"]:
            return bool(my_names & their_names) or _close(mine.family, theirs.family)
        case _:
            return False


def _families(tree: Tree) -> frozenset[str]:
    """Every family name that the record has: one who married may be known by either."""
    return frozenset(normalise(str(name["family"])) for name in tree.get("name") or () if name.get("family"))


def _close(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _CLOSE


def _slip_of_date(one: str, other: str) -> bool:
    """One of year, month and day is another, or day and month are turned round."""
    mine, theirs = one.split("-"), other.split("-")
    if len(mine) != 3 or len(theirs) != 3:
        return False
    turned = mine[0] == theirs[0] and mine[1:] == theirs[:0:-1]
    return turned or sum(a != b for a, b in zip(mine, theirs, strict=True)) == 1
