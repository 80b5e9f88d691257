"""Proofs, checkpoints and counts of an export alone: for whoever has the file and the public key, and nothing of the service.

The hashes that a proof needs are made from the entries of the file, in one pass that keeps those alone. Each proof is checked
with the public key before it is given: of a file that was altered there is none.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from liaison.auth.journal import tree
from liaison.auth.journal.entry import event_name
from liaison.auth.journal.export import Export
from liaison.auth.journal.proof import Consistency, Inclusion, NoProof, Trusted
from liaison.auth.journal.sealing import Record, encoded
from liaison.auth.journal.statistics import OUTCOMES, month

_UNPROVED: Final = "The export has no checkpoint: nothing of it is proved."


async def last(export: Export) -> tuple[int, str]:
    """(size, signed note) of the last checkpoint in the file. Raises NoProof where there is none, Broken of an altered file."""
    found = await export.checkpoints()
    if not found:
        raise NoProof(_UNPROVED)
    return max(found)


async def prove(export: Export, trusted: Trusted, wanted: int | tuple[int, int]) -> Inclusion:
    """That the entry at a position, or of a (worker, sequence), is in the last checkpoint. Raises NoProof where there is none,
    ProofError where the file is not what was signed, NotSigned, Broken."""
    size, note = await last(export)
    found = [
        (position, record)
        async for position, record in export.placed()
        if record is not None and wanted in (position, (record.worker, record.sequence))
    ]
    if not found or found[0][0] >= size:
        raise NoProof("The export has no such entry under its last checkpoint.")
    position, record = found[0]
    made = Inclusion(position, encoded(record), await _path(export, tree.inclusion(position, size)), note)
    made.check(trusted)
    return made


async def continued(export: Export, trusted: Trusted, held: str) -> Consistency:
    """That the tree of the last checkpoint begins with that of the checkpoint that was kept. Raises as `prove` does."""
    size, note = await last(export)
    old = trusted.open(held).size
    if old > size:
        raise NoProof(
            f"The export ends at {size} entries, before the checkpoint of {old} that was kept: a later one is needed."
        )
    made = Consistency(old, await _path(export, tree.consistency(old, size)) if old else [], note)
    made.check(trusted, held)
    return made


async def _path(export: Export, spans: Collection[tree.Span]) -> list[bytes]:
    wanted = {node for span in spans for node in tree.nodes(span)}
    known = await hashes(export, wanted)
    if known.keys() != wanted:
        raise NoProof("Entries of the export are missing: the file was cut.")
    return tree.proof(spans, known)


async def hashes(export: Export, wanted: Collection[tree.Node]) -> dict[tree.Node, bytes]:
    """Those of these nodes that are complete in the file."""
    found: dict[tree.Node, bytes] = {}
    open_: list[bytes] = []
    size = 0
    async for _, record in export.placed():
        if record is None:
            break
        hashed, number, level = tree.leaf_hash(encoded(record)), size, 0
        while True:
            node = tree.Node(level, number)
            if node in wanted:
                found[node] = hashed
            if not number & 1:
                break
            hashed, number, level = tree.node_hash(open_.pop(), hashed), number >> 1, level + 1
        open_.append(hashed)
        size += 1
    return found


class Counted(NamedTuple):
    """`first` and `last` are moments; the counts are by name."""

    entries: int
    checkpoints: int
    first: str
    last: str
    events: dict[str, int]
    outcomes: dict[str, int]
    months: dict[str, int]


async def counted(export: Export) -> Counted:
    """How many entries, by kind, outcome and month, and between which moments. What can still be read, a file does not say."""
    records = [_clear(record) async for _, record in export.placed() if record is not None]
    moments = [at for *_, at in records]
    return Counted(
        len(records),
        len(await export.checkpoints()),
        min(moments, default=""),
        max(moments, default=""),
        _most(event_name(event) for event, _, _, _ in records),
        _sorted(OUTCOMES.get(outcome, str(outcome)) for _, outcome, _, _ in records),
        _sorted(month(generation) for _, _, generation, _ in records),
    )


def _clear(record: Record) -> tuple[int, int, int, str]:
    return record.event, record.outcome, record.generation, record.at.isoformat()


def _most(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _sorted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
