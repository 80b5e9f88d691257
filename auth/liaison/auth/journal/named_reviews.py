"""A *revue*: a search of the journal with a name, what it counted, what was still open, and who signed it and when.

It keeps numbers and the question, never entries: whoever opens it again asks the question anew, by their own rights. It is
read by the officers of the structure where it was made, and by those who have a mandate over the territory. Once signed it
stays as it is. Whoever calls journals each act in the same transaction.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import orjson

from liaison.fhir.vault import Vault, context

LONGEST_NAME: Final = 120
LONGEST_REMARK: Final = 1_000
MOST: Final = 200

_READABLE: Final = "(r.organization = $1 or exists (select from audit_mandate m where m.organization = $1))"
_COLUMNS: Final = "r.review, r.sealed, r.made_at, r.signature, r.signed_at"


class Content(NamedTuple):
    """What a review says. `query` is the address of its question, with first and last day; `rules` the version of the
    table of sharing in force; `counts` and `open` numbers by what they count; `by` a name as it was then."""

    name: str
    query: str
    rules: str
    counts: Mapping[str, int]
    open: Mapping[str, int]
    by: str


class Signature(NamedTuple):
    """`counts` and `open` are those of the moment of signing; `remark` is what the signer wrote, '' for nothing."""

    by: str
    counts: Mapping[str, int]
    open: Mapping[str, int]
    remark: str
    at: datetime


class Review(NamedTuple):
    number: int
    content: Content
    made_at: datetime
    signature: Signature | None


class AlreadySigned(Exception):
    """A signed review stays as it is."""


async def save(connection: asyncpg.Connection, vault: Vault, organization: int, content: Content) -> int:
    """In the caller's transaction: its number."""
    number = secrets.randbits(53) or 1
    await connection.execute(
        "insert into named_review (review, organization, sealed) values ($1, $2, $3)",
        number,
        organization,
        vault.journal.seal(context("named review", number), orjson.dumps(content._asdict())),
    )
    return number


async def sign(
    connection: asyncpg.Connection,
    vault: Vault,
    number: int,
    *,
    by: str,
    counts: Mapping[str, int],
    still_open: Mapping[str, int],
    remark: str,
) -> None:
    """In the caller's transaction. Raises AlreadySigned."""
    at: datetime = await connection.fetchval("select now()")
    said = {"by": by, "counts": counts, "open": still_open, "remark": remark, "at": at.isoformat()}
    done = await connection.fetchval(
        "update named_review set signature = $2, signed_at = $3 where review = $1 and signature is null"
        " returning review",
        number,
        vault.journal.seal(context("review signed", number), orjson.dumps(said)),
        at,
    )
    if done is None:
        raise AlreadySigned


async def readable(
    connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault, organization: int, number: int = 0
) -> list[Review]:
    """Those that officers of this structure read, or the one of that number; unsigned first, latest first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from named_review r where {_READABLE} and ($2::bigint = 0 or r.review = $2)"
        f" order by r.signed_at is not null, r.made_at desc limit {MOST}",
        organization,
        number,
    )
    return [_opened(vault, row) for row in rows]


def _opened(vault: Vault, row: Any) -> Review:
    number = row["review"]
    content = Content(**orjson.loads(vault.journal.open(context("named review", number), row["sealed"])))
    signature = None
    if row["signature"] is not None:
        said = orjson.loads(vault.journal.open(context("review signed", number), row["signature"]))
        # Sealed with the rest; an older one has it in the column alone.
        at = datetime.fromisoformat(said.pop("at")) if "at" in said else row["signed_at"]
        signature = Signature(**said, at=at)
    return Review(number, content, row["made_at"], signature)
