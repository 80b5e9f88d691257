"""The index rows of versions: tokens, date ranges and identity tokens, and the SQL that inserts them.

They name their version by its place in the arrays of the versions, so that each carries three values only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
_TOKEN_COLUMNS: Final = ("patient", "kind", "param", "token", "res", "version", "clinical")
_DATE_COLUMNS: Final = ("patient", "kind", "param", "low", "high", "res", "version")
_IDENTITY_COLUMNS: Final = ("space", "token", "patient", "kind", "res")

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

    def add(self, place: int, vault: Vault, key: PatientKey, tree: Tree, found: Indexed, decode: Decode) -> None:
        """The rows of the version at this place; `found` is what the search keeps of its tree."""
        self.add_tokens(place, key, found, decode)
        self.dates += [(place, param, low, high) for param, low, high in found.dates]
        self.identities += [(place, space, token) for space, token in identity.tokens(vault, tree)]

    def add_tokens(self, place: int, key: PatientKey, found: Indexed, decode: Decode) -> None:
        """The tokens alone."""
        self.tokens += _tokens(place, key, found.tokens)
        self.tokens += _tokens(place, key, _foreign(key.patient, found.links, decode))

    @property
    def many(self) -> bool:
        """Whether to copy them rather than to insert them as arrays: it has round trips of its own."""
        return len(self.tokens) > MANY

    async def copy(self, connection: asyncpg.Connection, prefix: str, versions: Sequence[Sequence[Any]]) -> None:
        """Stores them by COPY, in the transaction that has inserted their versions by a statement with `BEGIN`. `versions`
        start with the columns of PLACE. A third of what arrays cost PostgreSQL, and half of what they cost here."""
        tokens = []
        for n, param, token in self.tokens:
            patient, kind, res, version, clinical = versions[n - 1][:PLACE]
            tokens.append((patient, kind, param, token, res, version, clinical))
        dates = []
        for n, param, low, high in self.dates:
            patient, kind, res, version = versions[n - 1][: PLACE - 1]
            dates.append((patient, kind, param, low, high, res, version))
        identities = [(space, token, *versions[n - 1][:3]) for n, space, token in self.identities]
        for table, names, rows in (
            (f"{prefix}index_token", _TOKEN_COLUMNS, tokens),
            (f"{prefix}index_date", _DATE_COLUMNS, dates),
            ("identity_token", _IDENTITY_COLUMNS, identities),
        ):
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=names)

    def columns(self) -> list[list[Any]]:
        """Ten arrays."""
        return [*columns(self.tokens, 3), *columns(self.dates, 4), *columns(self.identities, 3)]


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _foreign(patient: int, links: Iterable[tuple[int, str, str]], decode: Decode) -> Iterator[tuple[int, bytes]]:
    for param, type_, id_ in links:
        target = decode(type_, id_)
        if patient and target is not None and target.patient not in (0, patient):
            yield param, FOREIGN


def _tokens(place: int, key: PatientKey, values: Iterable[tuple[int, bytes]]) -> list[tuple[int, int, int]]:
    return [(place, param, key.token(param, value)) for param, value in set(values)]
