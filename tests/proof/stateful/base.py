"""What the base says in the words of the reference: the grants, those that a rebuild gives, and who sees what is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.filter import Filter
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.rebuild import rebuild_patient
from liaison.auth.access.table import label_of
from liaison.fhir.store.rows import owner_token

from .records import Record
from .reference import Rights, Territory, at, covers, differences, edges

_ROWS = "select * from access_grant where patient = $1"
_EVER = (datetime.fromisoformat("1900-01-01T00:00:00+00:00"), datetime.fromisoformat("9999-01-01T00:00:00+00:00"))
_VISIBLE = f"""
    select q.session, v.res from unnest($2::bigint[]) q(session), version v
    where v.patient = $1 and v.superseded is null and v.res = any($3::bigint[]) and {Filter().visible("v", "q.session")}
"""
Asker = tuple[str, str]
"""Who has rights, and the purpose of a session."""


class Unlike(AssertionError):
    """The base, or an answer, is not as the law has it."""


class Base:
    """`principals` names each number, `owners` are the references whose entries a grant may be limited to, `sessions` the
    number of the session of each who asks."""

    def __init__(
        self, territory: Any, principals: Mapping[int, str], owners: Iterable[str], sessions: Mapping[Asker, int]
    ) -> None:
        self._territory = territory
        self._principals = principals
        self._owners = sorted(owners)
        self._sessions = sessions

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

    async def check(self, record: Record, people: Territory, now: datetime) -> None:
        """Raises Unlike where, at some instant, someone has more or less than the law gives, or than a rebuild gives; or
        where someone sees now what the law does not show them, or the reverse."""
        patient, stated = self._territory.key(record.patient.reference).patient, record.everything()
        rows = await self.grants(patient)
        instants = edges(stated, people) | {edge for row in rows for edge in row[4:]}
        for moment in sorted(one for one in instants if _EVER[0] <= one < _EVER[1]):
            found: dict[str, Rights] = {}
            for who, what, read, write, start, end in rows:
                if start <= moment < end:
                    mine = found.setdefault(who, {})
                    before = mine.get(what, (frozenset(), frozenset()))
                    mine[what] = (before[0] | read, before[1] | write)
            if wrong := differences(at(people, stated, moment), found):
                raise Unlike(moment, wrong[:3])
        async with self._territory.database.writing.acquire() as connection, connection.transaction():
            kept = sorted(map(tuple, await connection.fetch(_ROWS, patient)))
            await rebuild_patient(connection, self._territory.store.vault, patient)
            if sorted(map(tuple, await connection.fetch(_ROWS, patient))) != kept:
                raise Unlike("a rebuild gives other grants")
        await self._check_seen(patient, record, at(people, stated, now))

    async def _check_seen(self, patient: int, record: Record, rights: Mapping[str, Rights]) -> None:
        """By the predicate that stands in every statement, under the clock of now."""
        rows = {self._territory.key(row[0]).res: row for row in record.rows()}
        if not rows:
            return
        asked: Sequence[int] = list(self._sessions.values())
        pairs = await self._territory.database.writing.fetch(_VISIBLE, patient, asked, list(rows))
        found = {tuple(pair) for pair in pairs}
        for (who, purpose), session in self._sessions.items():
            for res, (name, classes, owners) in rows.items():
                wanted = classes <= covers(rights.get(who, {}), purpose, owners)
                if ((session, res) in found) != wanted:
                    raise Unlike(who, purpose, name, sorted(classes), wanted)
