"""The index rows of versions: tokens, date ranges and identity tokens, and the SQL that inserts them.

They name their version by its place in the arrays of the versions, so that each carries three values only.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from liaison.fhir.store import identity, parameters
from liaison.fhir.store.contract import FOREIGN, Indexed, Key, Tree
from liaison.fhir.vault import PatientKey, Vault

Decode = Callable[[str, str], Key | None]
"""What an id names: (type, id)."""

PLACE: Final = 5
"""INSERTS expects as many arrays that say what its rows belong to: patient, kind, res, version, clinical."""

MANY: Final = 1_000
_TOKEN_COLUMNS: Final = ("patient", "kind", "res", "version", "clinical", "param", "token")
_DATE_COLUMNS: Final = ("patient", "kind", "res", "version", "param", "low", "high")
_IDENTITY_COLUMNS: Final = ("patient", "kind", "res", "space", "token")

# PostgreSQL's binary COPY (sql-copy.html, "Binary Format"): the number of columns, then each with its length before it.
# What a version's rows have in common is packed once: asyncpg's own encoding of each value takes ten times as long.
_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL: Final = b"\xff\xff"
_VERSION: Final = struct.Struct(">hiqihiqiiiq").pack
_DATED: Final = struct.Struct(">hiqihiqii").pack
_NAMED: Final = struct.Struct(">hiqihiq").pack
_TOKEN: Final = struct.Struct(">ihiq").pack
_RANGE: Final = struct.Struct(">ihiqiq").pack
_IDENTITY: Final = struct.Struct(">ihi").pack
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EVER: Final = {datetime.min: -(1 << 63), datetime.max: (1 << 63) - 1}
"""What asyncpg too writes as -infinity and infinity."""

REVISION: Final = PLACE + 11
"""The place of the argument that comes after the arrays: the revision of the added parameters that the rows are of."""

# A statement, or the end of one that begins with `BEGIN`. Its arguments: those of PLACE, then `IndexRows.columns`, then
# that of REVISION. It gives 1, or 0 and does nothing when the rows are of another revision than the base's.
BEGIN: Final = f"with known as materialized ({parameters.GUARD.format(revision=f'${REVISION}')}), "
INSERTS: Final = """tokens as (
        insert into {prefix}index_token (patient, kind, param, token, res, version, clinical)
        select ($1::bigint[])[n], ($2::smallint[])[n], param, token, ($3::bigint[])[n], ($4::integer[])[n],
               ($5::timestamptz[])[n]
        from unnest($6::integer[], $7::smallint[], $8::bigint[]) as k(n, param, token) cross join known
    ), dates as (
        insert into {prefix}index_date (patient, kind, param, low, high, res, version)
        select ($1::bigint[])[n], ($2::smallint[])[n], param, low, high, ($3::bigint[])[n], ($4::integer[])[n]
        from unnest($9::integer[], $10::smallint[], $11::timestamptz[], $12::timestamptz[]) as k(n, param, low, high)
             cross join known
    ), identities as (
        insert into identity_token (space, token, patient, kind, res)
        select space, token, ($1::bigint[])[n], ($2::smallint[])[n], ($3::bigint[])[n]
        from unnest($13::integer[], $14::smallint[], $15::bytea[]) as k(n, space, token) cross join known
    )
    select count(*) from known
"""


@dataclass(slots=True)
class IndexRows:
    """Each row starts with the place of its version, counted from 1."""

    tokens: list[tuple[int, int, int]] = field(default_factory=list)
    dates: list[tuple[int, int, datetime, datetime]] = field(default_factory=list)
    identities: list[tuple[int, int, bytes]] = field(default_factory=list)
    references: list[tuple[int, int, int]] = field(default_factory=list)
    """Into another record: the parameter, and the patient. No rows of the index: liaison.fhir.store.referring has them."""
    _made: dict[PatientKey, dict[tuple[int, bytes], int]] = field(default_factory=dict, repr=False)
    """What the resources of one record have in common, their codes and who they are about, is made a token of once."""
    _owners: dict[str, int] = field(default_factory=dict, repr=False)
    """The patient in each id that was met."""

    def add(self, place: int, vault: Vault, key: PatientKey, tree: Tree, found: Indexed, decode: Decode) -> None:
        """The rows of the version at this place; `found` is what the search keeps of its tree."""
        self.add_tokens(place, key, found, decode)
        self.dates += [(place, param, low, high) for param, low, high in found.dates]
        self.identities += [(place, space, token) for space, token in identity.tokens(vault, tree)]

    def add_tokens(self, place: int, key: PatientKey, found: Indexed, decode: Decode) -> None:
        """The tokens alone."""
        made = self._made.setdefault(key, {})
        foreign = set(self._foreign(key.patient, found.links, decode))
        self.references += [(place, param, owner) for param, owner in foreign]
        for value in {*found.tokens, *((param, FOREIGN) for param, _ in foreign)}:
            token = made.get(value)
            if token is None:
                token = made[value] = key.token(*value)
            self.tokens.append((place, value[0], token))

    def _foreign(
        self, patient: int, links: Iterable[tuple[int, str, str]], decode: Decode
    ) -> Iterator[tuple[int, int]]:
        for param, type_, id_ in links if patient else ():
            owner = self._owners.get(id_)
            if owner is None:
                target = decode(type_, id_)
                owner = self._owners[id_] = 0 if target is None else target.patient
            if owner not in (0, patient):
                yield param, owner

    @property
    def many(self) -> bool:
        """Whether to copy them rather than to insert them as arrays: it has round trips of its own."""
        return len(self.tokens) > MANY

    async def copy(self, connection: asyncpg.Connection, prefix: str, versions: Sequence[Sequence[Any]]) -> None:
        """Stores them by COPY, in the transaction that has inserted their versions by a statement with `BEGIN`. `versions`
        start with the columns of PLACE. A third of what arrays cost PostgreSQL, and a tenth of what they cost here."""
        for table, names, rows in (
            (f"{prefix}index_token", _TOKEN_COLUMNS, self._packed_tokens(versions)),
            (f"{prefix}index_date", _DATE_COLUMNS, self._packed_dates(versions)),
            ("identity_token", _IDENTITY_COLUMNS, self._packed_identities(versions)),
        ):
            if rows:
                source = bytearray(b"".join((_HEAD, *rows, _TAIL)))  # bytes would be the name of a file
                await connection.copy_to_table(table, source=source, columns=names, format="binary")

    def _packed_tokens(self, versions: Sequence[Sequence[Any]]) -> list[bytes]:
        starts = [
            _VERSION(7, 8, patient, 2, kind, 8, res, 4, version, 8, _microseconds(clinical))
            for patient, kind, res, version, clinical, *_ in versions
        ]
        return [part for n, param, token in self.tokens for part in (starts[n - 1], _TOKEN(2, param, 8, token))]

    def _packed_dates(self, versions: Sequence[Sequence[Any]]) -> list[bytes]:
        packed = []
        for n, param, low, high in self.dates:
            patient, kind, res, version = versions[n - 1][: PLACE - 1]
            packed.append(_DATED(7, 8, patient, 2, kind, 8, res, 4, version))
            packed.append(_RANGE(2, param, 8, _microseconds(low), 8, _microseconds(high)))
        return packed

    def _packed_identities(self, versions: Sequence[Sequence[Any]]) -> list[bytes]:
        packed = []
        for n, space, token in self.identities:
            patient, kind, res = versions[n - 1][:3]
            packed.append(_NAMED(5, 8, patient, 2, kind, 8, res) + _IDENTITY(2, space, len(token)) + token)
        return packed

    def columns(self) -> list[list[Any]]:
        """Ten arrays."""
        return [*columns(self.tokens, 3), *columns(self.dates, 4), *columns(self.identities, 3)]


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _microseconds(at: datetime) -> int:
    """As PostgreSQL keeps a moment: microseconds since 2000."""
    if at.tzinfo is None:
        return _EVER[at]
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
