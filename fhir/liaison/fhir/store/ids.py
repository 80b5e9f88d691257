"""FHIR ids that say nothing and find everything.

An id is the AES-128 image of (patient 40 bits, zero 24 bits, random 64 bits), shown as 32 hexadecimal characters. Any
id gives its patient, and so shard and key, without a look-up; ids of one patient look unrelated; of 2^24 made-up ids
one decodes, to a resource that does not exist.
"""

import os
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from liaison.fhir.definitions.types import kind_of
from liaison.fhir.store.contract import Key

PATIENT_BITS = 40
_SHAPE = re.compile(r"[0-9a-f]{32}").fullmatch


class Ids:
    """Encodes and decodes under the territory's id key."""

    def __init__(self, key: bytes) -> None:
        # One block at a time under a random-looking plain text: ECB is the bare cipher, which is what is meant.
        cipher = Cipher(algorithms.AES(key[:16]), modes.ECB())  # noqa: S305  # see above
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    def encode(self, key: Key) -> str:
        """The id of a resource. The type is not part of it: Observation/x and Patient/x are different keys."""
        return self._encrypt(key.patient.to_bytes(5, "big") + b"\0\0\0" + key.res.to_bytes(8, "big", signed=True)).hex()

    def decode(self, type_: str, id_: str) -> Key | None:
        """The key an id names, or None for one that was not made here. Says nothing about existence."""
        if _SHAPE(id_) is None:
            return None
        block = self._decrypt(bytes.fromhex(id_))
        if block[5:8] != b"\0\0\0":
            return None
        return Key(int.from_bytes(block[:5], "big"), kind_of(type_), int.from_bytes(block[8:], "big", signed=True))


def new_resource() -> int:
    """The random half of a new id, as the signed number `res` of the tables. Never 0, which stands for none."""
    return int.from_bytes(os.urandom(8), "big", signed=True) or 1


def new_patient() -> int:
    """A patient number: random, so that numbers tell nothing about the order of arrival. Never 0, the directory's."""
    return int.from_bytes(os.urandom(5), "big") or 1
