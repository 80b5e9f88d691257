"""FHIR ids that say nothing and find everything.

An id is the AES-128 image of (patient 40 bits, zero 24 bits, random 64 bits), shown as 32 hexadecimal characters. Any
id gives its patient, and so shard and key, without a look-up; ids of one patient look unrelated; of 2^24 made-up ids
one decodes, to a resource that does not exist.
"""

import os
import re
import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from liaison.fhir.definitions.types import kind_of
from liaison.fhir.store.contract import Key

PATIENT_BITS = 40
_SHAPE = re.compile(r"[0-9a-f]{32}").fullmatch
_BLOCK = struct.Struct(">Qq")  # the patient in the upper 40 bits of the first half
_ZEROS = 64 - PATIENT_BITS


class Ids:
    """Encodes and decodes under the territory's id key."""

    def __init__(self, key: bytes) -> None:
        # One block at a time under a random-looking plain text: ECB is the bare cipher, which is what is meant.
        cipher = Cipher(algorithms.AES(key[:16]), modes.ECB())  # noqa: S305  # see above
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    def encode(self, key: Key) -> str:
        """The id of a resource. The type is not part of it: Observation/x and Patient/x are different keys."""
        return self._encrypt(_BLOCK.pack(key.patient << _ZEROS, key.res)).hex()

    def encode_all(self, keys: Sequence[Key]) -> list[str]:
        """The ids of these resources: a fifth of what one at a time costs."""
        ids = self._encrypt(b"".join([_BLOCK.pack(patient << _ZEROS, res) for patient, _, res in keys])).hex()
        return [ids[start : start + 32] for start in range(0, len(ids), 32)]

    def decode(self, type_: str, id_: str) -> Key | None:
        """The key an id names, or None for one that was not made here. Says nothing about existence."""
        if _SHAPE(id_) is None:
            return None
        first, res = _BLOCK.unpack(self._decrypt(bytes.fromhex(id_)))
        if first & ((1 << _ZEROS) - 1):
            return None
        return Key(first >> _ZEROS, kind_of(type_), res)


def new_resource() -> int:
    """The random half of a new id, as the signed number `res` of the tables. Never 0, which stands for none."""
    return int.from_bytes(os.urandom(8), "big", signed=True) or 1


def new_patient() -> int:
    """A patient number: random, so that numbers tell nothing about the order of arrival. Never 0, the directory's."""
    return int.from_bytes(os.urandom(5), "big") or 1
