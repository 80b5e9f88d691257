"""What a rule asks beside the journal: which link explains an opening, and whom it is between.

Links are those that let the access happen, as its entry keeps them, and those that stood at that moment. Names and
addresses come as tokens (likeness); who is read here is read by the internal principal `unusual`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.join import found_by
from liaison.auth.access.relations import Relation
from liaison.auth.caller import Caller
from liaison.auth.unusual.likeness import Likeness, likeness
from liaison.auth.unusual.openings import ONE_BY_ONE, TOGETHER, Opening
from liaison.auth.unusual.table import TASK, Rule
from liaison.fhir.definitions import kind_of
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key

_HELD: Final = """
select relation from relation where patient = $1 and principal = any($2::bigint[])
and valid_from <= $3 and valid_to > $3
"""
_ACTS_FOR: Final = """
select o.role, o.practitioner from held_role h join held_role o on h.acts_for in (o.role, o.practitioner)
where h.role = $1 and h.valid_from <= $2 and h.valid_to > $2
"""
_ENDED: Final = """
select o.role, o.practitioner, h.valid_to from held_role h join held_role o on h.acts_for in (o.role, o.practitioner)
where h.practitioner = $1 and h.acts_for <> 0 and isfinite(h.valid_to)
"""
_FIRST: Final = """
select min(at) from journal_entry where person = $1 and patient <> 0 and outcome = 0 and event = any($2::smallint[])
"""
_NOTHING: Final = Likeness(frozenset(), frozenset(), frozenset(), frozenset())


class Evidence:
    """For one pass: what was read is kept until its end."""

    def __init__(
        self, store: Store, connection: asyncpg.Connection | asyncpg.Pool, cell: Caller, base_url: str
    ) -> None:
        self._store, self._connection, self._cell, self._base_url = store, connection, cell, base_url
        self._people: dict[Key, Likeness] = {}
        self._links: dict[tuple[int, int, datetime], frozenset[Relation]] = {}
        self._teams: dict[int, list[int]] = {}
        self._tasks: dict[tuple[int, int], bool] = {}
        self._patients: dict[int, Key | None] = {}
        self._first: dict[int, datetime | None] = {}
        self._ended: dict[int, list[asyncpg.Record]] = {}

    async def is_there(self, patient: int) -> bool:
        """Whether the record still is."""
        return await self._patient_key(patient) is not None

    # ---- what explains ----------------------------------------------------------------------------------------------

    async def explained(self, opening: Opening, rule: Rule) -> bool:
        """Whether something that the rule names links them."""
        if not rule.explained_by:
            return False
        if opening.relations & rule.explaining or await self._linked(opening) & rule.explaining:
            return True
        return TASK in rule.explained_by and await self._has_work(opening)

    async def _linked(self, opening: Opening) -> frozenset[Relation]:
        where = (opening.person, opening.patient, opening.at)
        if where not in self._links:
            own = {opening.role, opening.person, opening.organization} - {0}
            found = {Relation(row[0]) for row in await self._connection.fetch(_HELD, opening.patient, own, opening.at)}
            others = await self._connection.fetch(_ACTS_FOR, opening.role, opening.at)
            theirs = {res for row in others for res in row} - {0}
            if theirs and await self._connection.fetch(_HELD, opening.patient, theirs, opening.at):
                found.add(Relation.DELEG)
            # A structure of the team explains its own people's passing, and gives them no right by itself.
            self._links[where] = frozenset(found)
        return self._links[where]

    async def _has_work(self, opening: Opening) -> bool:
        """A task of the record that was given to them before: not one of the review list."""
        where = (opening.person, opening.patient)
        if where not in self._tasks:
            owners = [
                self._store.reference(Key(0, kind_of(type_), res))
                for type_, res in (("PractitionerRole", opening.role), ("Practitioner", opening.person))
                if res
            ]
            patient = await self._patient_key(opening.patient)
            found = []
            if patient is not None:
                query = f"Task?patient={self._store.reference(patient)}&owner={','.join(owners)}&_count=50"
                found = await found_by(self._store, self._cell, query, self._base_url)
            self._tasks[where] = any(not set(codes(tree.get("code"), vocabulary.REVIEW)) for tree in found)
        return self._tasks[where]

    # ---- who they are -----------------------------------------------------------------------------------------------

    async def patient(self, patient: int) -> Likeness:
        key = await self._patient_key(patient)
        return await self._likeness(key, home=False) if key is not None else _NOTHING

    async def person(self, person: int) -> Likeness:
        return await self._likeness(Key(0, kind_of("Practitioner"), person), home=True)

    async def workplace(self, organization: int) -> Likeness:
        return await self._likeness(Key(0, kind_of("Organization"), organization), home=False)

    async def colleagues(self, opening: Opening) -> Iterable[Likeness]:
        """Those who hold a role in the same structure."""
        if opening.organization not in self._teams:
            rows = await self._connection.fetch(
                "select distinct practitioner from held_role where organization = $1 and organization <> 0 and active",
                opening.organization,
            )
            self._teams[opening.organization] = [row[0] for row in rows]
        return [await self.person(one) for one in self._teams[opening.organization] if one != opening.person]

    async def _likeness(self, key: Key, *, home: bool) -> Likeness:
        if key not in self._people:
            seen = await self._store.read(self._cell, key)
            there = seen is not None and not seen.row.deleted
            self._people[key] = likeness(self._store.vault, read(seen.body), home=home) if seen and there else _NOTHING
        return self._people[key]

    async def _patient_key(self, patient: int) -> Key | None:
        if patient not in self._patients:
            kind = kind_of("Patient")
            res = await self._connection.fetchval(
                "select res from version where patient = $1 and kind = $2 and superseded is null", patient, kind
            )
            self._patients[patient] = Key(patient, kind, res) if res else None
        return self._patients[patient]

    # ---- what was before --------------------------------------------------------------------------------------------

    async def has_opened_before(self, opening: Opening) -> bool:
        if opening.person not in self._first:
            kinds = sorted(ONE_BY_ONE | TOGETHER)
            self._first[opening.person] = await self._connection.fetchval(_FIRST, opening.person, kinds)
        first = self._first[opening.person]
        return first is not None and first < opening.at

    async def replaced_until(self, opening: Opening, within: timedelta) -> datetime | None:
        """When a replacement ended of someone who follows, or followed, this person; None for no such."""
        if opening.person not in self._ended:
            self._ended[opening.person] = await self._connection.fetch(_ENDED, opening.person)
        for role, practitioner, ended in self._ended[opening.person]:
            if not opening.at - within < ended <= opening.at:
                continue
            if await self._connection.fetch(
                _HELD, opening.patient, {role, practitioner} - {0}, ended - timedelta(minutes=1)
            ):
                when: datetime = ended
                return when
        return None
