"""The Merkle tree of RFC 9162 §2.1 (the one of RFC 6962): append, root, inclusion and consistency proofs.

Pure functions over hashes. A *node* (level, number) is the complete subtree over leaves number·2^level up to,
not including, (number+1)·2^level. Whoever stores nodes (journal.tiles) is asked for those that a proof needs.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

EMPTY: Final = sha256(b"").digest()


class Node(NamedTuple):
    level: int
    number: int


class Span(NamedTuple):
    """Leaves begin up to, not including, end: a subtree as RFC 9162 cuts them, complete or at the right border."""

    begin: int
    end: int


class ProofError(Exception):
    """The proof does not show what it claims."""


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162 §2.1.1: MTH of one entry."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 §2.1.1: MTH of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees that cover the leaves so far, largest first: all that appending needs."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size, self.hashes = size, list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError("A frontier has one hash per complete subtree.")

    def append(self, leaf: bytes) -> None:
        """Adds one leaf hash."""
        size, hashes = self.size, self.hashes
        while size & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree head over the leaves so far."""
        return fold(self.hashes) if self.hashes else EMPTY


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a span from its complete subtrees, left to right."""
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found


def nodes(span: Span) -> list[Node]:
    """The complete subtrees of a span, left to right."""
    begin, end = span
    found = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        found.append(Node(level, begin >> level))
        begin += 1 << level
    return found


def _split(size: int) -> int:
    """The largest power of two smaller than size (k of RFC 9162 §2.1.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(index: int, size: int) -> list[Span]:
    """RFC 9162 §2.1.3.1, PATH(m, D_n): the spans whose hashes prove that leaf `index` is in the tree of `size`."""
    if not 0 <= index < size:
        raise ValueError("The tree has no such leaf.")
    path: list[Span] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(begin, middle))
            begin = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[Span]:
    """RFC 9162 §2.1.4.1, PROOF(m, D_n): the spans whose hashes prove that the tree of `new` begins with that of `old`."""
    if not 0 < old <= new:
        raise ValueError("No proof between these sizes.")
    path: list[Span] = []
    begin, end, whole = 0, new, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append(Span(begin, end))
    return path[::-1]


def proof(spans: Iterable[Span], known: Mapping[Node, bytes]) -> list[bytes]:
    """The hashes of a proof from those of the nodes it needs."""
    return [fold([known[node] for node in nodes(span)]) for span in spans]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2. Raises ProofError unless `leaf` stands at `index` of the tree of `size` with that root."""
    if not 0 <= index < size:
        raise ProofError("The tree has no such leaf.")
    fn, sn, found = index, size - 1, leaf
    for hashed in path:
        if sn == 0:
            raise ProofError("The proof is too long.")
        if fn & 1 or fn == sn:
            found = node_hash(hashed, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, hashed)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("The proof is too short.")
    if found != root:
        raise ProofError("The proof leads to another root.")


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """RFC 9162 §2.1.4.2. Raises ProofError unless the tree of `new` is that of `old` with leaves added."""
    if not 0 < old <= new:
        raise ProofError("No proof between these sizes.")
    if old == new:
        if path or old_root != new_root:
            raise ProofError("Two trees of one size differ.")
        return
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise ProofError("The proof is empty.")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = steps[0]
    for hashed in steps[1:]:
        if sn == 0:
            raise ProofError("The proof is too long.")
        if fn & 1 or fn == sn:
            first, second = node_hash(hashed, first), node_hash(hashed, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, hashed)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("The proof is too short.")
    if first != old_root:
        raise ProofError("The proof leads to another old root.")
    if second != new_root:
        raise ProofError("The proof leads to another new root.")
