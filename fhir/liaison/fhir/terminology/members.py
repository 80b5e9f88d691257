"""Sets of codes by system: finite ones, and "every code of the system but these", closed under the set operations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple


class Codes(NamedTuple):
    """These codes of one system or, with `but`, all codes except these."""

    codes: frozenset[str]
    but: bool = False

    def has(self, code: str) -> bool:
        return (code in self.codes) is not self.but

    def union(self, other: "Codes") -> "Codes":
        match self.but, other.but:
            case False, False:
                return Codes(self.codes | other.codes)
            case True, True:
                return Codes(self.codes & other.codes, but=True)
            case True, False:
                return Codes(self.codes - other.codes, but=True)
            case _:
                return Codes(other.codes - self.codes, but=True)

    def complement(self) -> "Codes":
        return Codes(self.codes, not self.but)

    def intersection(self, other: "Codes") -> "Codes":
        return self.complement().union(other.complement()).complement()


_NONE: Final = Codes(frozenset())


@dataclass(frozen=True, slots=True)
class Members:
    """What a value set holds. A system that is not named has no member."""

    # Left out of the hash, so that a criterion that holds such a set has one like any other.
    systems: Mapping[str, Codes] = field(default_factory=dict, hash=False)

    @staticmethod
    def of(system: str, codes: Iterable[str]) -> "Members":
        return Members({system: Codes(frozenset(codes))})

    @staticmethod
    def whole(system: str) -> "Members":
        return Members({system: Codes(frozenset(), but=True)})

    def __contains__(self, coding: tuple[str, str]) -> bool:
        system, code = coding
        return self.systems.get(system, _NONE).has(code)

    def union(self, other: "Members") -> "Members":
        named = {**self.systems, **other.systems}
        return Members({one: self._at(one).union(other._at(one)) for one in named})

    def intersection(self, other: "Members") -> "Members":
        return Members({one: codes.intersection(other._at(one)) for one, codes in self.systems.items()})

    def without(self, other: "Members") -> "Members":
        return Members({one: codes.intersection(other._at(one).complement()) for one, codes in self.systems.items()})

    def _at(self, system: str) -> Codes:
        return self.systems.get(system, _NONE)
