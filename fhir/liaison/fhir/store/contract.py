"""What the store, its callers and the areas above agree on. No logic: only the shapes and their promises.

The store cannot be opened without an `AccessFilter` and `Hooks`; `liaison.auth` implements both and
`liaison.services` passes them in. `fhir` never learns what OAuth or a care team is.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Protocol

import asyncpg

from liaison.fhir.errors import FhirError

Tree = dict[str, Any]
"""A resource as read by liaison.fhir.model: plain dict, list, str, bool, int, and decimals that keep their own text."""

Interaction = Literal["c", "r", "u", "d", "s"]
"""SMART's letters. r = read, vread, instance history; s = search, type and system history."""


make: Final = tuple.__new__
"""A named tuple of its fields in their order, in a third of the time that its own constructor takes: for what is made of
each row of a page."""


class Key(NamedTuple):
    """Names one resource. `patient` is 0 for directory types. The FHIR id is ids.encode(patient, res)."""

    patient: int
    kind: int
    res: int


class Grant(NamedTuple):
    """One row of access_grant that applied to a row read, as evidence: for the second wall and the journal entry.

    `mask` and `write_mask` are permuted under the patient's key. `author`, `service` and `addressee` are 0 when the
    grant asks nothing of them, else the patient-scoped token the row must carry. `principal` is who holds it.
    """

    mask: int
    write_mask: int
    author: int
    service: int
    addressee: int
    rule: int
    relation: int
    principal: int = 0


class Row(NamedTuple):
    """One version as it left SQL, still sealed. The grants are those of the caller on that patient, same snapshot."""

    key: Key
    version: int
    at: datetime
    deleted: bool
    classes: int
    author: int
    service: int
    addressee: int
    sealed: bytes
    grants: tuple[Grant, ...]


class Disclosure(NamedTuple):
    """A resource version in a response: what the journal must hold before the first byte leaves."""

    key: Key
    version: int
    grants: tuple[Grant, ...]


Singled = int | bytes
"""A patient whom a question is about: by number, or by the token of a business identifier. Whether there is one, and
whether the caller may know of them, is not said by that."""


class Bound(Protocol):
    """The caller's upper bound (SMART scopes). It can only narrow what the access filter lets through."""

    def allows(self, interaction: Interaction, type_: str) -> bool:
        """False: the interaction is refused (403) whatever the record."""

    def criteria(self, interaction: Interaction, type_: str) -> tuple[str, ...]:
        """Search queries ('category=…|vital-signs') of which a resource must match at least one; () = any resource."""


class Caller(Protocol):
    """Who asks. `session` is the row of `access_session` through which SQL looks the rights up, at each request."""

    @property
    def session(self) -> int: ...
    @property
    def bound(self) -> Bound: ...
    @property
    def oneself(self) -> int:
        """The res of the Patient or RelatedPerson who asks as that person; 0 for anyone else."""

    @property
    def identity(self) -> tuple[int | str, ...]:
        """Who it is beyond one session: the same after a token is renewed, another for any other person, role or
        client. What a caller carries away for later (the cursor of a page) is sealed to it."""


# `caller` is Any where the areas above receive it: they know more of it than the Caller above, and fhir looks no further.
class AccessFilter(Protocol):
    """The one predicate. Each method returns SQL text to be placed inside the engine's statements, before LIMIT.

    `row` is the alias of a row of `version` or `directory_version`; `session` an SQL expression of type bigint. Time
    is the database's clock. An ended, expired or unknown session sees nothing.
    """

    def visible(self, row: str, session: str) -> str:
        """Boolean SQL: every class of the row is allowed by the union of the session's grants that apply to it."""

    def visible_directory(self, row: str, session: str) -> str:
        """The same for a row of a directory table."""

    def patients(self, session: str) -> str:
        """A subselect yielding (patient bigint): every patient on whom the session has some grant in force now."""

    def decided(self, row: str, session: str) -> str:
        """`visible` and its evidence in one look-up, for hot statements: a FROM item to be cross-joined to the row, with
        columns (allowed boolean, evidence text)."""

    def held(self, patient: str, session: str) -> str:
        """A select of what the session holds on one patient. For statements on many rows of one record: looked up once as
        a relation of their own, it decides each of them by `covered` and is their `evidence`."""

    def summed(self, held: str) -> str:
        """A select of one row: what the relation `held` of this name comes to, for `covered`."""

    def covered(self, row: str, held: str, summed: str) -> str:
        """`visible`, of a row of the patient whose `held` and `summed` are the relations of these names."""

    def united(self, session: str) -> str:
        """A select (patient, mask), each patient once: the classes that are allowed of them whoever owns a row. For statements on
        rows of many records: a row whose classes it covers is `visible`, and any other has to be asked about by that."""

    def evidence(self, held: str) -> str:
        """Scalar SQL of type text, of what the relation of this name holds: for each grant its eight numbers in the order of
        Grant, as PostgreSQL writes an array of arrays. NULL when there is none. Those that ask for another owner than a row
        has are among them (rows.grants_of)."""

    def second_wall(self, caller: Any, row: Row, unpermuted: int) -> bool:
        """Plain Python, sharing nothing with the SQL: may this row leave? False denies and raises an incident.

        `unpermuted` is the row's class mask with the patient's permutation undone. The answer follows from the caller and
        from the row's patient, type, classes, owners and grants alone: it is asked once for rows alike in these.
        """

    def hides(self, unpermuted: int) -> bool:
        """Whether an item of these classes is not to be named to whoever does not see it. What
        refers to it is stored with the mark (NAMES_HIDDEN)."""

    def abridged(self, caller: Any) -> Container[int]:
        """The kinds of which this caller is shown what is left without names (liaison.fhir.model.abridging)."""

    def besides_own(self, caller: Any) -> tuple[Container[int], Key | None]:
        """The kinds of which this caller sees nothing that this author wrote, who is themselves; none: ((), None)."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a resource is, for access: the classes it belongs to (plain bits) and whose it is (references, or '')."""

    classes: int
    author: str = ""
    service: str = ""
    addressee: str = ""


@dataclass(slots=True)
class Change:
    """One prepared write. `tree` is the new content with id and meta in place (None = delete), `body` the same as the
    bytes to store; `before` the visible previous content. `at` is its meta.lastUpdated. `labels` is filled by
    Hooks.classify."""

    interaction: Literal["create", "update", "delete"]
    key: Key
    type_: str
    version: int
    tree: Tree | None
    before: Tree | None = None
    before_row: Row | None = None
    labels: Labels = field(default_factory=lambda: Labels(0))
    new_patient: bool = False
    body: bytes = b""
    at: datetime = datetime.min


class Referred(Mapping[str, Tree]):
    """What a unit of writes refers to. `found` keeps what was concluded of one of these for as long as the unit is written:
    a hundred resources may name one encounter."""

    found: dict[tuple[object, str], Any]


@dataclass(slots=True)
class Unit:
    """What one request writes: all of it or nothing. Several units may share a transaction.

    `refusal` says why it is left out of it: before_write sets it, the others go on. `context` is that of the request, for
    what the areas above note of it.
    """

    caller: Any
    changes: list[Change]
    related: Mapping[str, Tree]
    refusal: FhirError | None = None
    context: Context = field(default_factory=copy_context)


class Hooks(Protocol):
    """What the areas above do inside the store's transaction. Anything raised rolls the whole transaction back."""

    @property
    def alone(self) -> frozenset[str]:
        """The types from which rights follow: writing them takes locks, so each has a transaction of its own."""

    def classify(self, change: Change, related: Mapping[str, Tree]) -> Labels:
        """The classes and owners of a resource, from its own codes and labels and those of `related`: the encounter,
        service, medication and author it names, by relative reference, when they are known. Never empty: unknown is
        CLIN."""

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        """Sets the refusal (NotFound, Forbidden, Unprocessable) of what the caller may not write: rights as they are
        *before*.

        May complete the labels, replace a change's tree (with its body), and append what is to be written besides.
        """

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        """Rows are in place: derive relations and grants, write the journal entries, in this same transaction."""


class Request(NamedTuple):
    """One FHIR request, whoever carries it: the HTTP edge, a page, an entry of a Bundle.

    `path` is below the FHIR base, decoded, without a leading slash ('Observation/x/_history'). `query` is as received.
    Header names are lower case; only those that mean something to an interaction are kept (if-match, prefer…).
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    request_id: str = ""
    address: str = ""


class Answer(NamedTuple):
    """What an interaction gives back. The edge journals `disclosed` durably, then sends. Writes are journaled already.

    `body` is complete: it is never re-serialised. `headers` never hold content. `parts` are the inner requests of a
    batch or transaction, each with its own answer: the journal records each as if it had come alone. `asked` is what
    the body of a question said (the Parameters of an operation), as a query: the journal records it like one.
    `consulted` are versions that decided the answer and do not stand in it (the List of a `_list`): journaled alike.
    `singled` are the patients whom the question is about, shown or not: the journal names those on whom the caller has
    some right, though the answer be a number or nothing. `modified` is when the version that it is about was written.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    disclosed: tuple[Disclosure, ...] = ()
    total: int | None = None
    parts: tuple[tuple[Request, "Answer"], ...] = ()
    asked: str = ""
    consulted: tuple[Disclosure, ...] = ()
    singled: frozenset[Singled] = frozenset()
    modified: datetime | None = None


FOREIGN: Final = b"x"
"""Tokenised by the store beside a reference that leads into another patient's record."""


class Indexed(NamedTuple):
    """What SQL may know of a resource, from liaison.fhir.search.index.indexed(type_, tree). Plain values: the store
    makes tokens of them under the patient's key.

    `clinical` is datetime.min (-infinity) when there is none. `tokens` are (parameter number, value); `dates` are
    (parameter number, first instant, first instant after). `links` are (parameter number, type, id) of the references
    that may lead into another patient's record: where one does, the store adds FOREIGN to the tokens of its parameter.
    """

    clinical: datetime
    tokens: Sequence[tuple[int, bytes]]
    dates: Sequence[tuple[int, datetime, datetime]]
    links: Sequence[tuple[int, str, str]] = ()


NAMES_HIDDEN: Final = 1 << 40
"""Beside the classes of a version: it refers to something that not everyone who sees it may know of, in its record or in another. It hides nothing: every
grant has it. Whoever opens the row takes out what this caller may not know of (liaison.fhir.model.withholding)."""


class Opened(NamedTuple):
    """One visible version, decrypted: `body` is what a response sends: what was stored, byte for byte, unless it names what
    the caller may not know of; then `whole` is what was stored, for the service alone, and `hidden` has these by
    'Type/id'.

    Both walls have let it through. A deleted version has an empty body.
    """

    row: Row
    body: bytes
    whole: bytes = b""
    hidden: frozenset[str] = frozenset()

    @property
    def stored(self) -> bytes:
        return self.whole or self.body

    @property
    def is_cut(self) -> bool:
        """Whether the caller is shown less than what was stored."""
        return bool(self.whole)

    @property
    def disclosure(self) -> Disclosure:
        row = self.row
        return make(Disclosure, (row.key, row.version, row.grants))


class Records(Protocol):
    """What the interactions ask of the open store (`liaison.fhir.store.Store` is it). Everything here is filtered."""

    @property
    def database(self) -> Any: ...
    @property
    def vault(self) -> Any: ...
    @property
    def hooks(self) -> Hooks: ...

    def key(self, type_: str, id_: str) -> Key | None:
        """The key an id names, or None for an id that was never made here or is of another type."""

    def id(self, key: Key) -> str: ...

    def new_key(self, patient: int, kind: int) -> Key:
        """A key never used before, for a resource of this patient (0: of the directory)."""

    def new_patient(self) -> int:
        """A patient number never used before."""

    async def read(self, caller: Caller, key: Key) -> Opened | None:
        """The current version when the caller may see it, deleted or not. Calls that wait together share a query."""

    async def version(self, caller: Caller, key: Key, version: int) -> Opened | None: ...

    async def write(
        self, connection: asyncpg.Connection, caller: Caller, changes: Sequence[Change], related: Mapping[str, Tree]
    ) -> None:
        """classify, before_write, rows and index rows, after_write: inside the transaction open on `connection`.

        Raises Conflict when a version to be superseded is no longer the current one.
        """

    async def lock(
        self,
        connection: asyncpg.Connection,
        tokens: Iterable[bytes],
        shared: Iterable[bytes] = (),
        made: Container[bytes] = (),
    ) -> None:
        """Locks these identity tokens until the transaction ends, in sorted order, `shared` together with others who share
        them. Waits for whoever has them. `made` were given to `make_shareable`."""

    async def make_shareable(self, tokens: Iterable[bytes]) -> None:
        """Before a transaction that shares many tokens."""

    async def hold(self, connection: asyncpg.Connection, keys: Iterable[Key]) -> dict[Key, int]:
        """The current versions of these resources, which nobody else changes until the transaction ends. Waits for whoever
        does; call it once for all of them, after `lock`."""

    def lock_tokens(self, tree: Tree) -> list[bytes]:
        """The tokens of the business identifiers of a resource."""

    def lock_token_of(self, type_: str, query: str) -> bytes:
        """The token of a conditional request's criteria: that of its identifier when it has one, else of the query."""
