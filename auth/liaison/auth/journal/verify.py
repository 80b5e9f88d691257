"""Is the journal whole? Walks every entry in the order of the tree and raises at the first thing that is wrong.

Needs only the entries, the checkpoints and the public key: so it works on an export, elsewhere, without any secret.
With the journal's keys it also finds entries forged by someone who does not hold them, and follows the LINK entries
that bind what was written inside transactions.

What the verdict covers: everything up to the checkpoint it names is exactly what was signed. Entries after it are
covered by their worker's chain, but for the very last ones of a chain: those, removed within the second before they
are integrated, leave no trace if that process also dies. docs/implementation/journal.md lists this.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple, Protocol

from liaison.auth.journal.checkpoint import Checkpoint, NotSigned, Verifier
from liaison.auth.journal.entry import Event
from liaison.auth.journal.sealing import GENESIS, Damaged, Keys, Record, authentic, detail, leaf
from liaison.auth.journal.succession import Succession
from liaison.auth.journal.tiles import HASH, WIDTH, Growing, Place
from liaison.auth.journal.tree import Frontier

Progress = Callable[[int, int], None]
"""Told (entries checked, entries in all) now and then."""
STEP: Final = 5_000


class Broken(Exception):
    """The journal is not what was written. `where` names the first place that is wrong; up to the checkpoint of `reached`
    entries each is the one that was signed, 0 where that can be said of none."""

    def __init__(self, where: str, what: str) -> None:
        self.where, self.what, self.reached = where, what, 0
        super().__init__(f"{where}: {what}")


class Verdict(NamedTuple):
    """What was checked and found whole. `at` is the checkpoint up to which the verdict holds."""

    at: Checkpoint | None
    entries: int
    waiting: int
    checkpoints: int
    open_chains: int
    """Chains without their last entry: of processes that run now, or were killed."""
    with_keys: bool
    breaks: int
    """Restores declared in the journal."""
    lost: tuple[int, ...] = ()
    """Months whose key is gone though no entry says that it was destroyed: what their entries said, nobody can read."""
    beyond: tuple[int, ...] = ()
    """Sizes of checkpoints held elsewhere that were signed after this copy ends: of what they cover the verdict says nothing."""


class Source(Protocol):
    """Where the journal is read from: the base itself, or an export."""

    @property
    def is_copy(self) -> bool:
        """Made at some moment, so that nothing later is in it. The base itself has everything that was ever signed."""

    def placed(self) -> AsyncIterator[tuple[int, Record | None]]:
        """(position, entry) in the order of positions; None when the entry is gone."""

    def waiting(self) -> AsyncIterator[Record]:
        """Entries without a position, each worker's in the order of its chain."""

    async def checkpoints(self) -> Sequence[tuple[int, str]]:
        """(size, signed note), ascending."""

    async def head(self) -> int | None:
        """The size the base believes the tree has; None when it has no head."""

    async def tiles(self) -> dict[Place, bytes] | None:
        """The stored hashes; None when there are none to check."""


MOVED: Final = "it is not the entry whose place was signed"


class _Chain(NamedTuple):
    sequence: int
    leaf: bytes
    closed: bool
    where: str = ""


async def verify(
    source: Source,
    key: Verifier,
    keys: Keys | None = None,
    held_elsewhere: Sequence[str] = (),
    progress: Progress = lambda _done, _all: None,
    handovers: Sequence[str] = (),
) -> Verdict:
    """The verdict, or Broken. `key` may be any that ever signed here, the others follow from it. `held_elsewhere` are
    signed checkpoints kept outside: the journal must contain each, or be a copy that ends before it, which the verdict says. `handovers` lead from a newer key to those of an older export."""
    walk = _Walk(key, keys, await source.tiles())
    try:
        total = await walk.expect(source, held_elsewhere, handovers)
        async for position, record in source.placed():
            walk.place(position, record)
            if not position % STEP:
                progress(position, total)
        walk.finish_tree(await source.head(), is_copy=source.is_copy)
        async for record in source.waiting():
            walk.follow(record, leaf(record))
            walk.waiting += 1
        walk.finish_links()
    except Broken as broken:
        broken.reached = walk.reached
        raise
    return walk.verdict()


class _Walk:
    def __init__(self, key: Verifier, keys: Keys | None, stored: dict[Place, bytes] | None) -> None:
        self._key, self._keys = key, keys
        self._trusted = Succession(key)
        self._stored = stored
        self._differs: int | None = None  # the first entry that is not the one whose hash is stored
        self._tree = Frontier()
        self._growing = Growing(0)
        self._expected: dict[int, list[Checkpoint]] = {}
        self._last: Checkpoint | None = None
        self._count = 0
        self._chains: dict[int, _Chain] = {}
        self._within: dict[tuple[int, int], bytes] = {}
        self._named: dict[tuple[int, int], bytes | None] = {}
        self.waiting = 0
        self._breaks = 0
        self.reached = 0
        self._unread: set[int] = set()
        self._beyond: tuple[int, ...] = ()
        self._ended = 0  # the last month whose key was destroyed by a decision: those before it were over too

    async def expect(self, source: Source, held_elsewhere: Sequence[str], handovers: Sequence[str]) -> int:
        """How many entries there must be, by the last checkpoint."""
        size = -1
        stored_notes = await source.checkpoints()
        try:
            notes = [note for _, note in stored_notes]
            self._trusted = Succession(self._key, [*notes, *held_elsewhere, *handovers])
        except NotSigned as error:
            raise Broken("succession of signing keys", str(error)) from None
        for stored, note in stored_notes:
            found = self._open(f"checkpoint of size {stored}", note)
            if found.size != stored or found.size <= size:
                raise Broken(f"checkpoint of size {stored}", "it is out of order, or its row and its note disagree")
            size = found.size
            self._count += 1
            self._last = found
            self._expected.setdefault(found.size, []).append(found)
        for note in held_elsewhere:
            found = self._open("checkpoint held elsewhere", note)
            self._expected.setdefault(found.size, []).append(found)
        return max(size, 0)

    def _open(self, where: str, note: str) -> Checkpoint:
        try:
            return self._trusted.open(note)
        except NotSigned as error:
            raise Broken(where, str(error)) from None

    # ---- the tree -------------------------------------------------------------------------------------------------

    def place(self, position: int, record: Record | None) -> None:
        if position != self._tree.size:
            raise Broken(f"position {self._tree.size}", "it is missing")
        if record is None:
            raise Broken(f"position {position}", "its entry has been removed")
        hashed = leaf(record)
        moved = self._stored is not None and hashed != self._hash_stored(position)
        if moved and self._differs is None:
            self._differs = position
        try:
            self.follow(record, hashed, f"position {position}", moved=moved)
        except Broken:
            if self._differs is not None and self._differs < position:  # what was altered broke the chain after it
                raise Broken(f"position {self._differs}", MOVED) from None
            raise
        self._tree.append(hashed)
        self._growing.append(hashed)
        for expected in self._expected.pop(self._tree.size, ()):
            if expected.root != self._tree.root():
                if self._differs is not None:
                    raise Broken(f"position {self._differs}", MOVED)
                since = f"after {self.reached}" if self.reached else "from the first on"
                raise Broken(
                    f"checkpoint of size {expected.size}",
                    f"the entries do not give the root that was signed: one of them was altered, {since}",
                )
            self.reached = expected.size

    def _hash_stored(self, position: int) -> bytes:
        tile, first = (self._stored or {}).get((0, position // WIDTH), b""), position % WIDTH * HASH
        return tile[first : first + HASH]

    def finish_tree(self, head: int | None, *, is_copy: bool) -> None:
        size = self._tree.size
        self._expected.pop(0, None)
        if is_copy and self._expected and (self._last is None or min(self._expected) > self._last.size):
            self._beyond = tuple(sorted(self._expected))  # none of them is one that the copy itself has
        elif self._expected:
            wanted = min(self._expected)
            raise Broken(f"position {size}", f"entries were cut off here: a checkpoint of size {wanted} was signed")
        if head is not None and head != size:
            raise Broken("head", f"it says {head} entries, there are {size}")
        if size and (self._last is None or self._last.size != size):
            raise Broken(f"position {size - 1}", "no checkpoint was signed over the last entries")
        if self._stored is not None:
            computed = self._growing.changed()
            for place in sorted(computed.keys() | self._stored.keys()):
                if computed.get(place) != self._stored.get(place):
                    raise Broken(f"tile {place[0]}/{place[1]}", "it does not hold the hashes of the entries")

    # ---- chains ---------------------------------------------------------------------------------------------------

    def follow(self, record: Record, hashed: bytes, where: str = "", *, moved: bool = False) -> None:
        """`moved`: another entry was integrated at this position."""
        where = where or f"entry {record.sequence} of chain {record.worker:x}"
        plain = self._authentic(record, where)
        if record.event == Event.RESTORE:
            self._breaks += 1
        if record.event == Event.KEYS and plain is not None:
            self._ended = max(self._ended, *detail(plain).get("months", ()), 0)
        if record.sequence < 0:
            if record.previous:
                raise Broken(where, "an entry of a transaction cannot be a link of a chain")
            self._within[record.worker, record.sequence] = hashed
            return
        known = self._chains.get(record.worker, _Chain(0, GENESIS, False))
        if known.closed:
            raise Broken(where, "it continues a chain that was ended")
        if record.sequence != known.sequence + 1:
            jump = f"chain {record.worker:x} goes from {known.sequence} to {record.sequence}"
            raise Broken(where, f"{MOVED}: {jump}" if moved else f"{jump}: an entry was removed")
        if record.previous != known.leaf and known.where:
            raise Broken(known.where, f"it was altered, or the entry after it in chain {record.worker:x} was")
        if record.previous != known.leaf:
            raise Broken(where, f"it does not follow the entry before it in chain {record.worker:x}")
        self._chains[record.worker] = _Chain(record.sequence, hashed, record.event == Event.CHAIN_END, where)
        if plain is not None and record.event in (Event.LINK, Event.CHAIN_START):
            self._link(record, plain, where)

    def _authentic(self, record: Record, where: str) -> bytes | None:
        if self._keys is None:
            return None
        try:
            return authentic(self._keys, record)
        except Damaged:
            raise Broken(where, "it was altered, or was not written by this service") from None
        except KeyError:
            self._unread.add(record.generation)
            return None  # The month's key has been destroyed: its entries are still bound by their hashes.

    def _link(self, record: Record, plain: bytes, where: str) -> None:
        told = detail(plain)
        worker = told.get("worker", 0)
        for sequence, hashed in told.get("within", ()):
            self._named[worker, sequence] = bytes.fromhex(hashed)
        for sequence in told.get("void", ()):
            self._named[worker, sequence] = None
        after = told.get("after")
        if after:
            before = self._chains.get(after["worker"])
            if before is None or before.sequence < after["sequence"]:
                raise Broken(where, f"entries at the end of chain {after['worker']:x} were removed")

    def finish_links(self) -> None:
        for (worker, sequence), hashed in self._named.items():
            found = self._within.get((worker, sequence))
            where = f"entry {sequence} of chain {worker:x}"
            if hashed is None and found is not None:
                raise Broken(where, "its transaction was not committed: it was put there afterwards")
            if hashed is not None and found is None:
                raise Broken(where, "the entry of a write was removed")
            if hashed != found:
                raise Broken(where, "the entry of a write was altered")

    def verdict(self) -> Verdict:
        return Verdict(
            self._last,
            self._tree.size,
            self.waiting,
            self._count,
            sum(not chain.closed for chain in self._chains.values()),
            self._keys is not None,
            self._breaks,
            tuple(sorted(month for month in self._unread if month > self._ended)),
            self._beyond,
        )
