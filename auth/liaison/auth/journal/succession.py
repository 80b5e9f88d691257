"""How the key that signs checkpoints is changed, so that whoever trusts one of its keys can check the others' work.

The first checkpoint after a new key was made is signed by both keys and names both, in extension lines of
https://c2sp.org/tlog-checkpoint: so the old key vouches for the new one, the new one for the old, and both for every
entry up to there. The old secret is destroyed in the same transaction. From one trusted key the succession leads
forward to newer ones and back to older ones; each signs for its own stretch of the journal and for nothing else, so
that what leaks of an old key signs nothing later.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from liaison.auth.journal.checkpoint import Checkpoint, NotSigned, Signer, Verifier

_BEFORE: Final = "previous-key "
_AFTER: Final = "next-key "
MARK: Final = f"\n{_AFTER}"
"""Stands in the note of a handover, and in no other checkpoint's."""


class Handover(NamedTuple):
    """From which key to which, at how many entries."""

    size: int
    before: str
    after: str
    note: str


def hand_over(before: Signer, after: Signer, size: int, root: bytes) -> str:
    """The checkpoint that names the next key, signed by both."""
    body = Checkpoint(before.verifier.name, size, root).text()
    text = f"{body}{_BEFORE}{before.verifier}\n{_AFTER}{after.verifier}\n"
    return before.sign(text) + after.sign(text).rpartition("\n\n")[2]


def read(note: str) -> Handover | None:
    """What a note says of a handover; None when it says nothing of one. No signature is checked."""
    body = note.rpartition("\n\n")[0].split("\n")
    if len(body) != 5 or not body[1].isdecimal() or not body[3].startswith(_BEFORE) or not body[4].startswith(_AFTER):
        return None
    return Handover(int(body[1]), body[3].removeprefix(_BEFORE), body[4].removeprefix(_AFTER), note)


class Succession:
    """Satisfies proof.Trusted: opens the checkpoints of every key that leads to or from the one trusted."""

    def __init__(self, trusted: Verifier, notes: Iterable[str] = ()) -> None:
        """`notes` may hold any checkpoints: the handovers among them count, when both their keys signed. Raises NotSigned
        when a key has two successors or two predecessors: then it was misused."""
        found = [one for one in map(read, notes) if one is not None]
        later = list(_follow(trusted, found, forward=True))
        earlier = list(_follow(trusted, found, forward=False))
        reached = [*((one.size, key) for one, key in reversed(earlier))]
        keys = [key for _, key in reached] + [trusted] + [key for _, key in later]
        ends: list[int | None] = [*(size for size, _ in reached), *(one.size for one, _ in later), None]
        self._eras = list(zip(ends, keys, strict=True))

    def open(self, note: str) -> Checkpoint:
        """The checkpoint, signed by the key of its stretch of the journal. Raises NotSigned."""
        try:
            size = int(note.split("\n", 2)[1])
        except (ValueError, IndexError):
            raise NotSigned("The note is no checkpoint.") from None
        return next(key for end, key in self._eras if end is None or size <= end).open(note)

    @property
    def newest(self) -> Verifier:
        """The key that signs now."""
        return self._eras[-1][1]


def _follow(start: Verifier, found: list[Handover], *, forward: bool) -> Iterator[tuple[Handover, Verifier]]:
    """Handovers one after the other from a key, each with the key it leads to."""
    known, seen = start, {str(start)}
    while True:
        steps = {one.note: one for one in found if (one.before if forward else one.after) == str(known)}
        signed = [one for one in steps.values() if _signed(one, known)]
        if not signed:
            return
        if len(signed) > 1:
            raise NotSigned(f"The key {known} was handed over twice.")
        known = Verifier.parse(signed[0].after if forward else signed[0].before)
        if str(known) in seen:
            raise NotSigned(f"The key {known} comes twice in the succession.")
        seen.add(str(known))
        yield signed[0], known


def _signed(one: Handover, known: Verifier) -> bool:
    """Whether the note is a checkpoint of this journal signed by both keys, of which one is trusted."""
    try:
        for key in (Verifier.parse(one.before), Verifier.parse(one.after)):
            if key.name != known.name:
                return False
            key.open(one.note)
    except NotSigned:
        return False
    return True


_NOTE: Final = re.compile(rf"^[^\n]+\n\d+\n[^\n]+\n{_BEFORE}[^\n]+\n{_AFTER}[^\n]+\n\n(?:— [^\n]+\n)+", re.MULTILINE)


def notes_in(text: str) -> list[str]:
    """The handovers in a file of keys, as `liaison journal key` prints it."""
    return _NOTE.findall(text)
