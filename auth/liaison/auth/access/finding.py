"""Finding a person by identity, never by id: what `$register`, `$join` and emergency access start from.

The questions are counted, because their answer says whether someone is known; each runs as the internal principal
`identity`, so that what it reads is bounded, and journaled under its name with the caller's.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from liaison.auth.access import identity, internal
from liaison.auth.access.asking_limits import Account, Asker, asker_of, count, require_room
from liaison.auth.access.roles import ROLES
from liaison.auth.access.traits import Traits, stated_name, traits_of
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store import identity as tokens
from liaison.fhir.store.contract import Key, Tree

_PATIENT: Final = kind_of("Patient")


@dataclass(frozen=True, slots=True)
class Known:
    """Someone who has a record here."""

    key: Key
    tree: Tree

    @property
    def traits(self) -> Traits:
        return traits_of(self.tree)


class Finder:
    """Open for one question; see `asking`."""

    def __init__(self, store: Store, caller: Caller, cell: Caller, asker: Asker) -> None:
        self.store = store
        self.caller = caller
        self.cell = cell
        self._asker = asker

    async def initials_known(self, letters: str, birth_date: str) -> bool:
        """Whether someone born that day has a family name, of birth or of use, that begins so. No body is opened."""
        return bool(
            await self.store.database.reading.fetchval(
                "select exists (select from identity_token t join patient p on p.patient = t.patient and p.state = 0"
                " where t.space = $1 and t.token = $2 and t.kind = $3)",
                tokens.INITIALS,
                tokens.initials_token(self.store.vault, letters, birth_date),
                _PATIENT,
            )
        )

    async def candidates(self, patient: Tree) -> list[Known]:
        return await candidates(self.store, self.cell, patient)

    async def note(self, found: bool) -> None:
        """Counts the question, whatever becomes of it."""
        await count(self.store.database, self._asker, found=found)


@asynccontextmanager
async def asking(
    store: Store,
    caller: Caller,
    account: Account = Account.LOOKUP,
    *,
    call: bool = False,
    about: Sequence[bytes] = (),
) -> AsyncIterator[Finder]:
    """Raises Forbidden for a role that does not bring people in (with `call`: that does not answer the platform),
    TooManyRequests beyond the limits of the account.

    One question at a time of all who act for one professional, or asking at once would pass the limits; and, with
    `about`, one at a time of whoever asks about the same tokens."""
    role = ROLES.get(caller.role_code)
    allowed = role is not None and (role.calls if call else role.registers or role.emergency)
    asker = await asker_of(store.database, caller, account)
    if not allowed or not asker.number:
        raise Forbidden("Your role does not look people up by their identity.")
    turn = tokens.criteria_token(store.vault, "asker", str(asker.answerable))
    async with store.alone([turn, *about]):
        await require_room(store.database, asker)
        cell = await internal.open_session(store.database.writing, "identity", timedelta(minutes=2), caller=caller)
        try:
            yield Finder(store, caller, cell, asker)
        finally:
            await internal.close_session(store.database.writing, cell)


async def candidates(store: Store, cell: Caller, patient: Tree) -> list[Known]:
    """Those who share an INS or the name and birth date with this Patient; of merged records, the one that stays."""
    vault, wanted = store.vault, []
    for one in identity.matricules(patient):
        wanted.append((tokens.IDENTIFIER, tokens.identifier_token(vault, *one)))
    wanted += [(tokens.TRAITS, token) for token in same_traits(store, patient)]
    rows = await store.database.reading.fetch(
        "select distinct t.patient, t.res from identity_token t"
        " join unnest($1::smallint[], $2::bytea[]) as k(space, token) on t.space = k.space and t.token = k.token"
        " where t.kind = $3 order by 1, 2",
        [space for space, _ in wanted],
        [token for _, token in wanted],
        _PATIENT,
    )
    found = []
    for number, res in rows:
        opened = await store.read(cell, Key(number, _PATIENT, res))
        if opened is None or opened.row.deleted:
            continue
        tree = read(opened.body)
        if not identity.is_merged(tree):
            found.append(Known(opened.row.key, tree))
    return found


def same_traits(store: Store, patient: Tree) -> list[bytes]:
    """The token that all who state this name and birth date share; none when they are not stated."""
    family, given = stated_name(patient)
    birth_date = traits_of(patient).birth_date
    if not (family and given and len(birth_date) == 10):
        return []
    return [tokens.traits_token(store.vault, family, given, birth_date)]


def require_traits(patient: Tree, *, all_of_them: bool) -> Traits:
    """Raises BadRequest when the identity given is not complete enough to compare."""
    traits = traits_of(patient)
    if not (traits.complete if all_of_them else traits.searchable):
        raise BadRequest(
            "Give the birth name, first given name, birth date, sex"
            + (" and birthplace (INSEE code)." if all_of_them else "."),
            "Parameters.parameter.where(name='patient').resource",
        )
    return traits
