"""Proofs that leave the house: one line stands in the journal; nothing before a checkpoint was changed.

Both are files of text with the signed checkpoint inside, and need the public key alone. That of an entry is a
https://c2sp.org/tlog-proof with the entry as stored in `extra`: its hash, not `extra` itself, is what is proved. That
between two checkpoints is what https://c2sp.org/tlog-witness takes (`add-checkpoint`). The hashes come from the stored
tiles: no entry but the one proved is read, however long the journal.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import asyncpg

from liaison.auth.journal import tiles, tree
from liaison.auth.journal.checkpoint import Checkpoint
from liaison.auth.journal.sealing import COLUMNS, Record, decoded, encoded

INCLUSION: Final = "c2sp.org/tlog-proof@v1"
MOST: Final = 63
"""Hashes in a proof between two checkpoints (tlog-witness)."""
_EXTRA: Final = "extra "
_INDEX: Final = "index "
_OLD: Final = "old "

_PLACED: Final = f"""
select p.position, {", ".join(f"e.{column}" for column in COLUMNS)} from journal_position p
join journal_entry e on e.worker = p.worker and e.sequence = p.sequence
"""


class NoProof(Exception):
    """The text is no proof, or what is asked cannot be proved (yet). Says why."""


class Trusted(Protocol):
    """Whoever opens signed checkpoints: one public key, or a succession of them."""

    def open(self, note: str) -> Checkpoint:
        """NotSigned unless the note is a checkpoint of this journal."""


class Inclusion(NamedTuple):
    """Entry number `position` (from 0) of the tree in `note`."""

    position: int
    entry: bytes
    path: Sequence[bytes]
    note: str

    def text(self) -> str:
        """As a file: https://c2sp.org/tlog-proof."""
        head = [INCLUSION, _EXTRA + _base64(self.entry), f"{_INDEX}{self.position}"]
        return "\n".join([*head, *map(_base64, self.path), "", self.note])

    def check(self, trusted: Trusted) -> tuple[Record, Checkpoint]:
        """The entry that is proved, and by which checkpoint. Raises NotSigned, ProofError or NoProof."""
        signed = trusted.open(self.note)
        tree.verify_inclusion(tree.leaf_hash(self.entry), self.position, signed.size, self.path, signed.root)
        try:
            return decoded(self.entry), signed
        except ValueError as error:
            raise NoProof(str(error)) from None


class Consistency(NamedTuple):
    """The tree in `note` begins with that of size `old`."""

    old: int
    path: Sequence[bytes]
    note: str

    def text(self) -> str:
        """As a file: the request `add-checkpoint` of https://c2sp.org/tlog-witness."""
        return "\n".join([f"{_OLD}{self.old}", *map(_base64, self.path), "", self.note])

    def check(self, trusted: Trusted, held: str) -> tuple[Checkpoint, Checkpoint]:
        """The checkpoint held and the later one. Raises NotSigned, ProofError or NoProof."""
        before, after = trusted.open(held), trusted.open(self.note)
        if before.size != self.old:
            raise NoProof(f"The proof begins at {self.old} entries; the checkpoint that is held has {before.size}.")
        if before.size:  # nothing at all is the beginning of everything
            tree.verify_consistency(self.old, after.size, self.path, before.root, after.root)
        return before, after


def read(text: str) -> Inclusion | Consistency:
    """The proof in a file; NoProof when there is none. Nothing is checked yet."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    try:
        if not blank:
            raise ValueError
        if lines[0] == INCLUSION and lines[1].startswith(_EXTRA):
            return Inclusion(_number(lines[2], _INDEX), _bytes(lines[1][len(_EXTRA) :]), _hashes(lines[3:]), note)
        return Consistency(_number(lines[0], _OLD), _hashes(lines[1:]), note)
    except (ValueError, IndexError):  # binascii.Error is one
        raise NoProof(
            "The file is no proof of Liaison: a c2sp.org/tlog-proof with its entry, or a line “old N”."
        ) from None


def _number(line: str, word: str) -> int:
    number = line.removeprefix(word)
    if not line.startswith(word) or not (number.isascii() and number.isdecimal()) or str(int(number)) != number:
        raise ValueError
    return int(number)


def _hashes(lines: Iterable[str]) -> list[bytes]:
    found = [_bytes(line) for line in lines]
    if len(found) > MOST or any(len(one) != tiles.HASH for one in found):
        raise ValueError
    return found


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# ---- from the base: within one snapshot ---------------------------------------------------------------------------


async def last(connection: "asyncpg.Connection | asyncpg.Pool") -> tuple[int, str]:
    """(size, signed note) of the last checkpoint; NoProof when none was signed."""
    row = await connection.fetchrow("select size, note from journal_checkpoint order by size desc limit 1")
    if row is None:
        raise NoProof("No checkpoint has been signed yet: the service signs one within a second of an entry.")
    return row["size"], row["note"]


async def of_position(connection: asyncpg.Connection, position: int) -> Inclusion:
    """That entry number `position` is in the last checkpoint."""
    return await _inclusion(connection, await connection.fetchrow(f"{_PLACED} where p.position = $1", position))


async def of_entry(connection: asyncpg.Connection, worker: int, sequence: int) -> Inclusion:
    """That this entry is in the last checkpoint. NoProof within the second before it has a position."""
    query = f"{_PLACED} where p.worker = $1 and p.sequence = $2"
    return await _inclusion(connection, await connection.fetchrow(query, worker, sequence))


async def _inclusion(connection: asyncpg.Connection, row: asyncpg.Record | None) -> Inclusion:
    size, note = await last(connection)
    if row is None or row[0] >= size:
        raise NoProof("The journal has no such entry with a position: a new one has it within a second.")
    spans = tree.inclusion(row[0], size)
    return Inclusion(row[0], encoded(Record(*row[1:])), await _path(connection, spans), note)


async def since(connection: asyncpg.Connection, old: int) -> Consistency:
    """That the tree of the last checkpoint begins with that of size `old`."""
    size, note = await last(connection)
    if old > size:
        raise NoProof(f"The journal has {size} entries: it was cut back since a checkpoint of {old} was signed.")
    return Consistency(old, await _path(connection, tree.consistency(old, size)) if old else [], note)


async def _path(connection: asyncpg.Connection, spans: Sequence[tree.Span]) -> list[bytes]:
    """MissingTile when a stored hash is gone."""
    return tree.proof(spans, await tiles.fetch(connection, {node for span in spans for node in tree.nodes(span)}))
