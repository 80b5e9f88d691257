"""Reads the journal for those who may: AuditEvent by id, search in pages, and visits. The engine journals each reading.

What the person or a representative sees passes the class filter of the record as well: an entry whose items they may
not see (a note about them from a third party, a report of suspected abuse) is not shown to have happened.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import asyncpg
import orjson

from liaison.auth.access import adopted
from liaison.auth.journal import audit_rights, audit_search
from liaison.auth.journal.audit_event import ALTERED, SHAPES, audit_event, place
from liaison.auth.journal.audit_rows import statement
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.masked import request_of
from liaison.auth.journal.names import Names, Software, holders, patients, registered
from liaison.auth.journal.oneself import without_oneself
from liaison.auth.journal.sealing import Damaged, Record, unseal
from liaison.auth.journal.told import told_of
from liaison.fhir.definitions import RESOURCE_TYPES, kind_of
from liaison.fhir.errors import BadRequest, Forbidden, Gone, NotFound, TooCostly
from liaison.fhir.store.contract import AccessFilter, Answer, Caller, Disclosure, Key, Tree
from liaison.fhir.store.database import Database
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import NotAuthentic, Vault, context

CHUNK: Final = 200
LONGEST_CHUNK: Final = 4_000
"""Entries read at once: of the first, and of those that follow."""
BUDGET: Final = 20_000
"""Entries looked at for one page, when the query is decided on the decrypted entry."""

_ITEMS: Final = """
select k.n from unnest($2::bigint[], $3::smallint[], $4::bigint[], $5::int[]) with ordinality as k(patient, kind, res, version, n)
join version v on (v.patient, v.kind, v.res, v.version) = (k.patient, k.kind, k.res, k.version)
where {visible}
"""


class Seen(NamedTuple):
    """An entry as its reader may see it."""

    record: Record
    entry: Entry


class AuditReader:
    """One a process."""

    def __init__(
        self, database: Database, vault: Vault, keys: JournalKeys, access: AccessFilter, base_url: str
    ) -> None:
        self._database, self._vault, self._keys, self._base_url = database, vault, keys, base_url
        self._ids = Ids(vault.id_key)
        self._items = _ITEMS.format(visible=access.visible("v", "$1"))

    # ---- interactions ---------------------------------------------------------------------------------------------

    async def read(self, caller: Caller, id_: str) -> Answer:
        """One AuditEvent. NotFound for what does not exist or may not be seen."""
        async with self._database.reading.acquire() as connection:
            seen = await self._one(connection, caller, id_)
            (tree,) = await self._trees(connection, caller, [seen])
        return Answer(200, orjson.dumps(tree), (("etag", 'W/"1"'),), _disclosed([seen]))

    async def question(self, caller: Caller, id_: str) -> tuple[str, str]:
        """What an entry asked, as its AuditEvent says it and whole; '' for an entry that asked nothing. For an officer who has
        said why, which whoever calls writes to the journal. Raises NotFound as `read` does."""
        async with self._database.reading.acquire() as connection:
            entry = (await self._one(connection, caller, id_)).entry
        return request_of(entry), request_of(entry, whole=True)

    async def search(self, caller: Caller, query: str) -> Answer:
        """A page of a searchset, newest first unless _sort=date. Pages stand still while entries are added. With
        `_summary=count` the total alone; TooCostly beyond the budget."""
        found: list[tuple[Seen, Tree]] = []
        more = False
        async with self._database.reading.acquire() as connection:
            asked = audit_search.bounded(await self._asked(connection, caller, query), self._database.clock.now())
            asked.unread = await audit_search.unread(connection, asked)
            after = self._position(caller, asked.cursor) if asked.cursor else None
            if asked.counted:
                total = 0
                async for _ in self._matching(connection, caller, asked, None):
                    total += 1
                return Answer(200, orjson.dumps(self._searchset(asked, [], total)))
            async for seen, tree in self._matching(connection, caller, asked, after):
                if len(found) == asked.count:
                    more = True
                    break
                found.append((seen, tree))
        body = orjson.dumps(self._bundle(caller, asked, found, more))
        return Answer(200, body, (), _disclosed([seen for seen, _ in found]))

    async def entries(self, caller: Caller, query: str, *, refusals: bool = True) -> list[Seen]:
        """Every entry that a query finds, newest first; TooCostly beyond the budget. For visits.

        `refusals` False does not look for the record behind each refusal.
        """
        async with self._database.reading.acquire() as connection:
            asked = await self._asked(connection, caller, query, refusals=refusals)
            if not asked.tests:  # nothing is decided on the resource, so none is made
                return [one async for some in self._some(connection, caller, asked, None) for one in some]
            return [seen async for seen, _ in self._matching(connection, caller, asked, None)]

    async def latest(self, caller: Caller, query: str, most: int) -> tuple[list[Seen], bool]:
        """The latest `most` entries that the caller may see of those that a query finds which the columns decide, refusals
        aside, with all of the last one's moment; and whether there are older ones. What they may not see changes neither."""
        async with self._database.reading.acquire() as connection:
            asked = await self._asked(connection, caller, query, refusals=False)
            return await self._latest(connection, caller, asked, most)

    async def columns(self, caller: Caller, where: audit_search.Where, most: int) -> tuple[list[Seen], bool]:
        """The same by a condition on the columns in clear. For the desk of the officers: Forbidden for anyone else."""
        async with self._database.reading.acquire() as connection:
            if not await audit_rights.is_officer(connection, caller.session):
                raise Forbidden("The desk of the journal is for auditors and the data protection officer.")
            return await self._latest(connection, caller, audit_search.Query(where=[where]), most)

    async def _latest(
        self, connection: asyncpg.Connection, caller: Caller, asked: audit_search.Query, most: int
    ) -> tuple[list[Seen], bool]:
        found: list[Seen] = []
        after, wanted, ended = None, most + 1, False
        while not ended and _end_of_moment(found, most) == len(found):
            records = await self._rows(connection, caller, asked, after, wanted)
            found += await self._seen(connection, caller, records)
            ended = len(records) < wanted
            if records:
                after = audit_search.Position(records[-1].at, records[-1].worker, records[-1].sequence)
            wanted = max(CHUNK, most + 1 - len(found))
        end = _end_of_moment(found, most)
        return found[:end], end < len(found)

    async def answers_for(self, caller: Caller, patient: int) -> bool:
        """Whether this caller is an officer who answers for the record."""
        async with self._database.reading.acquire() as connection:
            table = await adopted.in_force(connection)
            return await audit_rights.covers(connection, caller.session, patient, table)

    async def trees(self, caller: Caller, seen: Sequence[Seen]) -> list[Tree]:
        """The AuditEvents of entries that this caller was given."""
        async with self._database.reading.acquire() as connection:
            return await self._trees(connection, caller, seen)

    async def patient_ids(self, numbers: set[int]) -> dict[int, str]:
        """The id of the Patient of each record; none for one that was destroyed."""
        async with self._database.reading.acquire() as connection:
            found = await patients(connection, numbers - {0})
        return {patient: self._ids.encode(Key(patient, kind_of("Patient"), res)) for patient, res in found.items()}

    async def people(self, accounts: set[int]) -> dict[int, str]:
        """Whose these accounts are, of people of the directory: 'Practitioner/x' by number."""
        async with self._database.reading.acquire() as connection:
            found = await holders(connection, accounts)
        return {number: self.reference("Practitioner", 0, key.res) for number, key in found.items() if not key.patient}

    def holder(self, type_: str, id_: str) -> int:
        """The record that holds a resource by its id, whether or not it is there; 0 for none."""
        key = self._ids.decode(type_, id_) if type_ in RESOURCE_TYPES else None
        return key.patient if key is not None else 0

    def number(self, reference: str) -> int:
        """The number under which the journal keeps someone of the directory; NotFound for what is no reference."""
        type_, _, id_ = reference.partition("/")
        key = self._ids.decode(type_, id_)
        if key is None or key.patient:
            raise NotFound
        return key.res

    def patient(self, id_: str) -> int:
        """The number of a Patient id; NotFound for what is none."""
        key = self._ids.decode("Patient", id_)
        if key is None or not key.patient:
            raise NotFound
        return key.patient

    def reference(self, type_: str, patient: int, res: int) -> str:
        return f"{type_}/{self._ids.encode(Key(patient, kind_of(type_), res))}"

    async def software(self, clients: set[int]) -> Mapping[int, Software]:
        """What these clients are registered as, suspended and ended ones too."""
        async with self._database.reading.acquire() as connection:
            return await registered(connection, clients)

    # ---- rows -----------------------------------------------------------------------------------------------------

    async def _one(self, connection: asyncpg.Connection, caller: Caller, id_: str) -> Seen:
        where = place(id_)
        if where is None:
            raise NotFound
        by_id = audit_search.Query(where=[audit_search.Where("e.worker = {} and e.sequence = {}", where)])
        seen = await self._seen(connection, caller, await self._rows(connection, caller, by_id, None))
        if not seen:
            raise NotFound
        return seen[0]

    async def _asked(
        self, connection: asyncpg.Connection, caller: Caller, query: str, *, refusals: bool = True
    ) -> audit_search.Query:
        """Refusals have no patient in clear: only officers see them, so nobody else's question looks through them."""
        refusals = refusals and await audit_rights.is_officer(connection, caller.session)
        asked = audit_search.read(
            query, self._ids.decode, self._base_url, self._database.clock.now(), refusals=refusals
        )
        if asked.software:
            known = await connection.fetch(
                "select client_id from client where client_id = any($1)", list(asked.software)
            )
            if missing := asked.software - {row["client_id"] for row in known}:
                raise BadRequest(
                    f"'{min(missing)[:80]}' is no agent: a person is asked for as Practitioner/id, software by its client_id."
                )
        return asked

    async def _matching(
        self,
        connection: asyncpg.Connection,
        caller: Caller,
        asked: audit_search.Query,
        after: audit_search.Position | None,
    ) -> AsyncIterator[tuple[Seen, Tree]]:
        async for seen in self._some(connection, caller, asked, after):
            for one, tree in zip(seen, await self._trees(connection, caller, seen), strict=True):
                if all(test(tree) for test in asked.tests):
                    yield one, tree

    async def _some(
        self,
        connection: asyncpg.Connection,
        caller: Caller,
        asked: audit_search.Query,
        after: audit_search.Position | None,
    ) -> AsyncIterator[list[Seen]]:
        looked, most = 0, CHUNK
        while True:
            records = await self._rows(connection, caller, asked, after, most)
            yield await self._seen(connection, caller, records, asked.early)
            if len(records) < most:
                return
            looked += len(records)
            if looked >= BUDGET:
                raise TooCostly("More than 20,000 entries would have to be opened: add a date, a patient or an agent.")
            most = min(2 * most, LONGEST_CHUNK, BUDGET - looked)  # a page needs the first few; who reads on reads much
            last = records[-1]
            after = audit_search.Position(last.at, last.worker, last.sequence)

    async def _rows(
        self,
        connection: asyncpg.Connection,
        caller: Caller,
        asked: audit_search.Query,
        after: audit_search.Position | None,
        most: int = 0,
    ) -> list[Record]:
        visible = audit_rights.visible(await adopted.in_force(connection))
        sql, values = statement(asked, caller.session, visible, after, most or CHUNK)
        rows = await connection.fetch(sql, *values)
        return [Record(*row) for row in rows]

    async def _seen(
        self,
        connection: asyncpg.Connection,
        caller: Caller,
        records: Sequence[Record],
        tests: Sequence[Callable[[Entry], bool]] = (),
    ) -> list[Seen]:
        """Those that the caller may see, and of which every test holds as they see them."""
        if not records:
            return []
        await self._keys.current(connection)
        opened = ((record, self._opened(record)) for record in records if self._keys.holds(record.generation))
        if await audit_rights.is_officer(connection, caller.session):
            seen = [Seen(*one) for one in opened if all(test(one[1]) for test in tests)]  # first: most of many fail
            return await without_oneself(connection, self._vault, caller.session, seen)
        # Which class something altered had, nobody knows.
        unaltered = [Seen(*one) for one in opened if not (one[1].detail or {}).get("altered")]
        theirs = await self._within_classes(connection, caller, unaltered)
        return [one for one in theirs if all(test(one.entry) for test in tests)]

    def _opened(self, record: Record) -> Entry:
        """What the columns say, marked, of an entry that somebody has altered: it is shown to have been there."""
        try:
            return unseal(self._keys, record)
        except Damaged:
            event = record.event if record.event in SHAPES else Event.OPERATION
            return Entry(event, record.outcome, record.patient, record.person, record.organization, detail=ALTERED)

    async def _within_classes(self, connection: asyncpg.Connection, caller: Caller, seen: Sequence[Seen]) -> list[Seen]:
        audit = kind_of("AuditEvent")
        asked = [(one.entry.patient, *item[:3]) for one in seen for item in one.entry.items if item[0] != audit]
        columns = [list(column) for column in zip(*asked, strict=True)] if asked else [[], [], [], []]
        rows = await connection.fetch(self._items, caller.session, *columns)
        allowed = {asked[row["n"] - 1] for row in rows}
        kept = []
        for record, entry in seen:
            items = tuple(item for item in entry.items if item[0] == audit or (entry.patient, *item[:3]) in allowed)
            if items or not entry.items:
                kept.append(Seen(record, entry._replace(items=items)))
        return kept

    async def _trees(self, connection: asyncpg.Connection, caller: Caller, seen: Sequence[Seen]) -> list[Tree]:
        if not seen:
            return []
        names = await self._names(connection, [one.entry for one in seen])
        officer = await audit_rights.is_officer(connection, caller.session)
        reigns = await adopted.reigns(connection)
        return [
            audit_event(
                one.record, one.entry, names, table=adopted.reign_at(reigns, one.record.at).number, officer=officer
            )
            for one in seen
        ]

    async def _names(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> Names:
        told = [one for one in map(told_of, entries) if one is not None]
        software = await registered(
            connection, {one.client for one in entries}, {client for one in told for client in one.clients}
        )
        return Names(
            self._ids.encode,
            await patients(connection, {one.patient for one in entries} - {0}),
            self._keys.signer.verifier.name,
            kind_of,
            software,
            urlsplit(self._base_url).hostname or "",
            await holders(connection, {account for one in told for account in one.accounts}),
        )

    # ---- pages ----------------------------------------------------------------------------------------------------

    def _bundle(
        self, caller: Caller, asked: audit_search.Query, found: Sequence[tuple[Seen, Tree]], more: bool
    ) -> Tree:
        links = []
        if more:
            record = found[-1][0].record
            cursor = self._cursor(caller, audit_search.Position(record.at, record.worker, record.sequence))
            query = urlencode([*asked.pairs, ("_cursor", cursor)])
            links.append({"relation": "next", "url": f"{self._base_url}/AuditEvent?{query}"})
        base = f"{self._base_url}/AuditEvent"
        matches = [
            {"fullUrl": f"{base}/{event['id']}", "resource": event, "search": {"mode": "match"}} for _, event in found
        ]
        return self._searchset(asked, links, None if more or asked.cursor else len(found), matches)

    def _searchset(
        self, asked: audit_search.Query, links: Sequence[Tree], total: int | None, matches: Sequence[Tree] = ()
    ) -> Tree:
        base = f"{self._base_url}/AuditEvent"
        pairs = (*asked.pairs, *asked.until)
        own = {"relation": "self", "url": f"{base}?{urlencode(pairs)}" if pairs else base}
        tree: Tree = {"resourceType": "Bundle", "type": "searchset", "link": [own, *links]}
        if total is not None:
            tree["total"] = total
        tree["timestamp"] = self._database.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if entries := [*matches, *map(audit_search.unread_said, filter(None, [asked.unread]))]:
            tree["entry"] = entries
        return tree

    def _cursor(self, caller: Caller, position: audit_search.Position) -> str:
        plain = orjson.dumps([position.at.isoformat(), position.worker, position.sequence])
        sealed = self._vault.cursor.seal(context("journal page", *caller.identity), plain)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def _position(self, caller: Caller, cursor: str) -> audit_search.Position:
        try:
            sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            at, worker, sequence = orjson.loads(
                self._vault.cursor.open(context("journal page", *caller.identity), sealed)
            )
        except (binascii.Error, ValueError, NotAuthentic):
            raise Gone("This page can no longer be continued. Search again.") from None
        return audit_search.Position(datetime.fromisoformat(at), worker, sequence)


def _end_of_moment(found: Sequence[Seen], most: int) -> int:
    """How many of these, newest first, are the first `most` and those of the same moment as the last of them."""
    if len(found) < most:
        return len(found)
    return next((n for n in range(most, len(found)) if found[n].record.at < found[most - 1].record.at), len(found))


def _disclosed(seen: Sequence[Seen]) -> tuple[Disclosure, ...]:
    """What the engine journals of a reading of the journal: each entry read, under the patient it is about."""
    kind = kind_of("AuditEvent")
    return tuple(Disclosure(Key(one.entry.patient, kind, one.record.worker), one.record.sequence, ()) for one in seen)
