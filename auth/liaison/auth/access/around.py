"""Of everyone who may derive something from the facts of several records, those whom the facts of one concern.

They are whom access.grants reads for one record alone: by role, by person, by structure or one that is part of it, those who act
for them, and the auditors. Rights of fifty records are otherwise asked for of each person around any of them, fifty times.
"""

from collections.abc import Iterable, Mapping, Sequence

from liaison.auth.access.roles import OFFICERS
from liaison.auth.access.world import Fact, Held


class People:
    """`held` and `wholes` are those of World, for all of the records."""

    def __init__(self, held: Iterable[Held], wholes: Mapping[int, Sequence[int]]) -> None:
        self.wholes = wholes
        self._everywhere: list[Held] = []
        self._named: dict[int, list[Held]] = {}
        self._delegates: dict[int, list[Held]] = {}
        for one in held:
            if one.role_code in OFFICERS:  # by their office, on records of which no fact names them
                self._everywhere.append(one)
            for number in {one.role, one.practitioner, one.organization, *wholes.get(one.organization, ())} - {0}:
                self._named.setdefault(number, []).append(one)
            if one.acts_for:
                self._delegates.setdefault(one.acts_for, []).append(one)

    def around(self, facts: Iterable[Fact]) -> list[Held]:
        """In no order. `facts`: every one of the record, those that rest included."""
        found = dict.fromkeys(self._everywhere)
        for number in named(facts):
            found.update(dict.fromkeys(self._named.get(number, ())))
        for one in list(found):
            for number in (one.role, one.practitioner):
                found.update(dict.fromkeys(self._delegates.get(number, ())))
        return list(found)


def named(facts: Iterable[Fact]) -> set[int]:
    """Whoever the facts name: people, roles, structures."""
    return {number for fact in facts for number in (fact.principal, fact.organization) if number > 0 or number < -1}
