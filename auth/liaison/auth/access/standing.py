"""The caller at a write: the session as the database has it now, and its grants on the patients concerned.

Read in the transaction of the write, before anything of it is written: rights are those of before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import asyncpg

from liaison.auth.access.classes import Class
from liaison.auth.access.filter import Filter
from liaison.auth.access.internal import INTERNALS, Internal
from liaison.auth.access.relations import Relation
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.contract import Grant, Key, Labels
from liaison.fhir.store.ids import Ids
from liaison.fhir.store.rows import owner_token
from liaison.fhir.vault import PatientKey

# One look at each session, whatever the number of patients and of writes under it.
_STANDING = f"""
    select a.session, r.* from (
        select session, array_agg(patient) as patients from unnest($1::bigint[], $2::bigint[]) as k(session, patient)
        group by session
    ) a cross join lateral ({Filter().standing("a.session", "a.patients")}) r
"""


@dataclass(frozen=True, slots=True)
class Owners:
    """The tokens that a row carries or will carry."""

    author: int = 0
    service: int = 0
    addressee: int = 0

    @classmethod
    def of(cls, key: PatientKey, labels: Labels) -> "Owners":
        return cls(*(owner_token(key, name) for name in (labels.author, labels.service, labels.addressee)))


_UNSIGNED = Labels(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who writes. `grants` by patient are in force now; a patient without an entry is not the caller's to see.

    `signature` names a professional as author, as the labels of what they write do."""

    session: int
    role_code: str
    practitioner: int
    role: int
    organization: int
    client: int
    principals: tuple[int, ...]
    signature: Labels = _UNSIGNED
    grants: dict[int, list[Grant]] = field(default_factory=dict)

    @property
    def internal(self) -> Internal | None:
        return INTERNALS.get(self.role_code)

    def may_write(self, patient: int, owners: Owners) -> int:
        """The permuted classes that may be written on a row with these owners."""
        return reduce(or_, (grant.write_mask for grant in self._applying(patient, owners)), 0)

    def may_unmask(self, key: PatientKey, owners: Owners) -> bool:
        """Whether they are the author or the attending doctor of a row with these owners, and stand in for nobody."""
        me = Owners.of(key, self.signature).author
        return any(
            grant.write_mask & key.permute(int(Class.MASKED))
            and (grant.relation != Relation.DELEG or (grant.author != 0 and grant.author == me))
            for grant in self._applying(key.patient, owners)
        )

    def _applying(self, patient: int, owners: Owners) -> Iterator[Grant]:
        for grant in self.grants.get(patient, ()):
            if (
                grant.author in (0, owners.author)
                and grant.service in (0, owners.service)
                and grant.addressee in (0, owners.addressee)
            ):
                yield grant


async def standing(connection: asyncpg.Connection, ids: Ids, session: int, patients: Iterable[int]) -> Standing:
    """Raises Unauthorized when the session is over."""
    found = (await standings(connection, ids, [(session, patients)])).get(session)
    if found is None:
        raise over()
    return found


def over() -> Unauthorized:
    return Unauthorized("The session has ended. Sign in again.")


async def standings(
    connection: asyncpg.Connection, ids: Ids, asked: Iterable[tuple[int, Iterable[int]]]
) -> dict[int, Standing]:
    """By session, those in force; one round trip. The grants of one are on all the patients asked for under it."""
    pairs = sorted({(session, patient) for session, patients in asked for patient in (0, *patients)})
    rows = await connection.fetch(_STANDING, [session for session, _ in pairs], [patient for _, patient in pairs])
    found: dict[int, Standing] = {}
    for session, role_code, practitioner, role, organization, client, principals, patient, *grant in rows:
        who = found.get(session)
        if who is None:
            own = f"Practitioner/{ids.encode(Key(0, kind_of('Practitioner'), practitioner))}" if practitioner else ""
            who = found[session] = Standing(
                session,
                role_code,
                practitioner or 0,
                role or 0,
                organization or 0,
                client or 0,
                tuple(principals),
                Labels(0, own),
            )
        if patient is not None:
            who.grants.setdefault(patient, []).append(Grant(*grant))
    return found
