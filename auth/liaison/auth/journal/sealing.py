"""An entry as stored: columns in clear, a sealed body, and the leaf hash that covers both.

Clear columns find entries (who, whom, when, what kind); everything else is AES-256-GCM under a key of one worker
process and one month, with the columns as associated data. The leaf hash (RFC 9162 §2.1.1: SHA-256 of 0x00 and the
entry) is over columns and ciphertext, so that a changed column breaks the tree like a changed body, proofs need no
key, and destroying a month's key leaves them valid. LEAF_SQL is the same hash computed by PostgreSQL.
"""

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

import asyncpg
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from liaison.auth.journal.entry import Entry
from liaison.auth.journal.tree import leaf_hash

FORMAT: Final = b"\x01"
GENESIS: Final = bytes(32)
"""What the first entry of a chain carries as `previous`."""

_FRONT: Final = struct.Struct(">iqq")
_BACK: Final = struct.Struct(">hhqqqq")
_NONCE: Final = struct.Struct(">xxxxq")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's, so that timestamptz_send gives the same eight bytes
_MICROSECOND: Final = timedelta(microseconds=1)

LEAF_SQL: Final = (
    "sha256('\\x00'::bytea || int4send(generation) || int8send(worker) || int8send(sequence) || previous"
    " || int2send(event) || int2send(outcome) || timestamptz_send(at)"
    " || int8send(patient) || int8send(person) || int8send(organization) || sealed)"
)


class Record(NamedTuple):
    """A row of journal_entry, in the order of COLUMNS.

    `sequence` counts from 1 along the worker's chain and `previous` is the leaf hash of the entry before. An entry
    written inside a transaction has a negative sequence and an empty `previous`: a later LINK entry binds it.
    """

    generation: int
    worker: int
    sequence: int
    previous: bytes
    event: int
    outcome: int
    at: datetime
    patient: int
    person: int
    organization: int
    sealed: bytes


COLUMNS: Final = Record._fields
_IN_CLEAR: Final = 5
"""Fields of an Entry that are columns: the first ones."""
_ITEMS: Final = Entry._fields.index("items") - _IN_CLEAR
_REQUESTED: Final = Entry._fields.index("requested") - _IN_CLEAR


class Keys(Protocol):
    """The journal's keys, one a month, so that keeping can end by destroying one."""

    generation: int
    """The generation to seal under now."""

    async def turn(self, connection: asyncpg.Connection, now: datetime) -> None:
        """Moves on to this month's key."""

    def key(self, generation: int) -> bytes:
        """32 bytes. KeyError when it does not exist, or has been destroyed."""


class Damaged(Exception):
    """A sealed entry does not open: it, or one of its columns, is not what was written."""


def worker_key(master: bytes, worker: int) -> AESGCM:
    """The key of one worker process: its own sequence is the nonce, so that none can repeat under one key."""
    info = b"liaison journal entry 1" + worker.to_bytes(8, "big", signed=True)
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=info).derive(master))


_opening = lru_cache(maxsize=256)(worker_key)


def _header(one: Record) -> bytes:
    return (
        _FRONT.pack(one.generation, one.worker, one.sequence)
        + one.previous
        + _BACK.pack(
            one.event,
            one.outcome,
            (one.at - _EPOCH) // _MICROSECOND,
            one.patient,
            one.person,
            one.organization,
        )
    )


def encoded(one: Record) -> bytes:
    """The entry as stored, in one piece: what the leaf hash is over."""
    return _header(one) + one.sealed


def decoded(data: bytes) -> Record:
    """The record of `encoded`. ValueError when it is none."""
    try:
        generation, worker, sequence = _FRONT.unpack_from(data)
        begin = _FRONT.size + (len(GENESIS) if sequence > 0 else 0)
        event, outcome, at, patient, person, organization = _BACK.unpack_from(data, begin)
        moment = _EPOCH + at * _MICROSECOND
    except (struct.error, OverflowError) as error:
        raise ValueError("This is no entry of a journal.") from error
    previous, sealed = data[_FRONT.size : begin], data[begin + _BACK.size :]
    return Record(generation, worker, sequence, previous, event, outcome, moment, patient, person, organization, sealed)


def leaf(one: Record) -> bytes:
    """RFC 9162 §2.1.1 leaf hash of the entry as stored."""
    return leaf_hash(encoded(one))


def body(entry: Entry) -> bytes:
    """What is sealed: everything but the columns kept in clear."""
    return orjson.dumps(entry[_IN_CLEAR:])


def detail(plain: bytes) -> dict[str, Any]:
    """Of what was sealed, the detail alone: of an entry that is checked, not read."""
    found: dict[str, Any] | None = orjson.loads(plain)[Entry._fields.index("detail") - _IN_CLEAR]
    return found or {}


def seal(
    key: AESGCM,
    place: tuple[int, int, int, bytes],
    entry: tuple[int, int, datetime, int, int, int, bytes],
) -> tuple[Record, bytes]:
    """The record and its leaf hash. `place` is (generation, worker, sequence, previous); `entry` is (event, outcome,
    at, patient, person, organization, body)."""
    event, outcome, at, patient, person, organization, plain = entry
    header = (
        _FRONT.pack(*place[:3])
        + place[3]
        + _BACK.pack(event, outcome, (at - _EPOCH) // _MICROSECOND, patient, person, organization)
    )
    sealed = FORMAT + key.encrypt(_NONCE.pack(place[2]), plain, header)
    record = Record(*place, event, outcome, at, patient, person, organization, sealed)
    return record, sha256(b"\x00" + header + sealed).digest()


def authentic(keys: Keys, one: Record) -> bytes:
    """The body as sealed by a holder of the key. Damaged when it or a column was changed or forged, KeyError when the
    month's key has been destroyed."""
    if one.sealed[:1] != FORMAT:
        raise Damaged
    try:
        key = _opening(keys.key(one.generation), one.worker)
        return key.decrypt(_NONCE.pack(one.sequence), one.sealed[1:], _header(one))
    except InvalidTag:
        raise Damaged from None


def unseal(keys: Keys, one: Record) -> Entry:
    """The entry; raises what `authentic` raises."""
    fields = orjson.loads(authentic(keys, one))
    # In place: of the five thousand entries of an answer, _replace is a third of what opening costs.
    fields[_ITEMS] = tuple(map(tuple, fields[_ITEMS]))
    fields[_REQUESTED] = tuple(fields[_REQUESTED])
    return Entry(one.event, one.outcome, one.patient, one.person, one.organization, *fields)
