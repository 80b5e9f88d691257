"""Hides which class a bit of a mask stands for: a shuffle of the 63 usable bits of a bigint, keyed by the patient.

A clear "psychiatry" bit beside a pseudonym is a diagnosis. The number of bits set stays visible.
"""

import hashlib

BITS = 63


class Permutation:
    """A bijection of masks that commutes with and, or: permuted masks can be compared in SQL."""

    __slots__ = ("_back", "_to")

    def __init__(self, key: bytes) -> None:
        # Fisher-Yates; each draw takes two bytes of SHAKE-256 and refuses those that would favour a position.
        stream = hashlib.shake_256(key).digest(2 * BITS * 8)
        order, at = list(range(BITS)), 0
        for i in range(BITS - 1, 0, -1):
            while True:
                draw, at = int.from_bytes(stream[at : at + 2], "big"), at + 2
                if draw < 65536 // (i + 1) * (i + 1):
                    break
            j = draw % (i + 1)
            order[i], order[j] = order[j], order[i]
        self._to = [1 << position for position in order]
        self._back = [0] * BITS
        for bit, position in enumerate(order):
            self._back[position] = 1 << bit

    def permute(self, mask: int) -> int:
        return _map(mask, self._to)

    def unpermute(self, mask: int) -> int:
        return _map(mask, self._back)


def _map(mask: int, table: list[int]) -> int:
    if mask < 0 or mask >> BITS:
        raise ValueError("A class mask has 63 bits.")
    out = 0
    while mask:
        low = mask & -mask
        out |= table[low.bit_length() - 1]
        mask ^= low
    return out
