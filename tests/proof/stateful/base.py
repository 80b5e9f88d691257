"""The grants of the base in the words of the reference, and those that a rebuild gives."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.rebuild import rebuild_patient
from liaison.auth.access.table import label_of
from liaison.fhir.store.rows import owner_token

from .reference import Rights, Stated, Territory, at, differences, edges

_ROWS = "select * from access_grant where patient = $1"
_EVER = (datetime.fromisoformat("1900-01-01T00:00:00+00:00"), datetime.fromisoformat("9999-01-01T00:00:00+00:00"))


class Base:
    """`principals` names each number, `owners` are the references whose entries a grant may be limited to."""

    def __init__(self, territory: Any, principals: Mapping[int, str], owners: Iterable[str]) -> None:
        self._territory = territory
        self._principals = principals
        self._owners = sorted(owners)

    async def grants(self, patient: int) -> list[tuple[str, Any, frozenset[str], frozenset[str], datetime, datetime]]:
        pool = self._territory.database.writing
        keys = await self._territory.store.vault.patient_keys(pool, [patient])
        key = keys[patient]
        owners = {owner_token(key, one): one for one in self._owners}
        found = []
        for row in await pool.fetch(_ROWS, patient):
            limits = [(name, owners[row[name]]) for name in ("author", "service", "addressee") if row[name]]
            scope = limits[0] if limits else ("", "")
            read, write = (
                frozenset(one.name for one in bits(Class(key.unpermute(row[name]))) if one.name)
                for name in ("mask", "write_mask")
            )
            what = (Purpose(row["purpose"]).name, label_of(row["rule"]), scope)
            who = self._principals[row["principal"]]
            found.append((who, what, read, write, row["valid_from"], row["valid_to"]))
        return found

    async def check(self, patient: int, people: Territory, stated: Sequence[Stated]) -> None:
        """AssertionError where, at some instant, someone has more or less than the law gives, or than a rebuild gives."""
        rows = await self.grants(patient)
        instants = edges(stated, people) | {edge for row in rows for edge in row[4:]}
        for moment in sorted(one for one in instants if _EVER[0] <= one < _EVER[1]):
            found: dict[str, Rights] = {}
            for who, what, read, write, start, end in rows:
                if start <= moment < end:
                    mine = found.setdefault(who, {})
                    before = mine.get(what, (frozenset(), frozenset()))
                    mine[what] = (before[0] | read, before[1] | write)
            wrong = differences(at(people, stated, moment), found)
            assert not wrong, (moment, wrong[:3])
        async with self._territory.database.writing.acquire() as connection, connection.transaction():
            kept = sorted(map(tuple, await connection.fetch(_ROWS, patient)))
            await rebuild_patient(connection, self._territory.store.vault, patient)
            assert sorted(map(tuple, await connection.fetch(_ROWS, patient))) == kept, "a rebuild gives other grants"
