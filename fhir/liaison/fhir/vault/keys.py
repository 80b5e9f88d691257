"""One data key at work: sealing, opening, search tokens, hidden classes.

A sealed value is: format (1 byte), salt (16), commitment (32), AES-256-GCM of the zstd frame. Key and commitment are
the two halves of HKDF-Expand-SHA512 over the salt (RFC 5869), so that each version has its own key, the number of
versions is not bounded by GCM's nonces, and a sealed value opens under one key only.
"""

import hashlib
import hmac
import os
import threading

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from liaison.fhir.vault.context import context
from liaison.fhir.vault.mac import Mac
from liaison.fhir.vault.permutation import Permutation

KEY_BYTES = 32
_FORMAT = b"\x01"
_SALT = 16
_HEADER = 1 + _SALT + 32
_NONCE = bytes(12)  # each key seals once
_LABEL = b"liaison body "


class NotAuthentic(Exception):
    """A sealed value does not belong where it was found, was changed, or was sealed under another key."""


class _Codec(threading.local):
    """zstandard's objects belong to one thread at a time."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_codec = _Codec()


class PatientKey:
    """The data key of one patient, or of the territory (patient 0). Holds keys in memory: never log or pickle it.

    What follows from the key is derived when it is first asked for: a question about thousands of people needs the tokens of each, and
    opens nothing of most."""

    __slots__ = ("_blocks", "_index", "_key", "_permutation", "_recurring", "_sealing", "patient")

    def __init__(self, patient: int, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("A data key has 32 bytes.")
        self.patient = patient
        self._key = key
        self._sealing: tuple[Mac, bytes] | None = None
        self._index: Mac | None = None
        self._permutation: Permutation | None = None
        self._recurring: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        self._blocks = b""

    def __repr__(self) -> str:
        return f"PatientKey({self.patient})"

    def seal(self, bound_to: bytes, plain: bytes) -> bytes:
        """Sealed bytes that open only with the same `bound_to` (made by `context`), for this patient and key."""
        body, bound = self._sealing or self._derive_sealing()
        salt = os.urandom(_SALT)
        derived = body.digest(_LABEL + salt + b"\x01")
        sealed = AESGCM(derived[:32]).encrypt(_NONCE, _codec.compress(plain), bound + bound_to)
        return b"".join((_FORMAT, salt, derived[32:], sealed))

    def open(self, bound_to: bytes, sealed: bytes) -> bytes:
        """The plain bytes, exactly as sealed. Raises NotAuthentic."""
        if sealed[:1] != _FORMAT or len(sealed) < _HEADER + 16:
            raise NotAuthentic
        body, bound = self._sealing or self._derive_sealing()
        derived = body.digest(_LABEL + sealed[1 : 1 + _SALT] + b"\x01")
        if not hmac.compare_digest(derived[32:], sealed[1 + _SALT : _HEADER]):
            raise NotAuthentic
        try:
            frame = AESGCM(derived[:32]).decrypt(_NONCE, sealed[_HEADER:], bound + bound_to)
        except InvalidTag:
            raise NotAuthentic from None
        return _codec.decompress(frame)

    def _derive_sealing(self) -> tuple[Mac, bytes]:
        # The key's own name is part of what is authenticated: a value never moves between two keys of one patient.
        bound = context(_FORMAT, self.patient, _derive(self._key, b"name")[:8])
        self._sealing = Mac(_derive(self._key, b"body"), hashlib.sha512), bound
        return self._sealing

    def token(self, param: int, value: bytes) -> int:
        """A search token: says that two rows of this patient are equal, and nothing across patients. Never 0."""
        index = self._index
        if index is None:
            index = self._index = Mac(_derive(self._key, b"index"))
        digest = index.digest(param.to_bytes(2, "big", signed=True) + value)
        return int.from_bytes(digest[:8], "big", signed=True) or 1

    def recurring(self, param: int, values: tuple[str, ...]) -> list[int]:
        """The `token` of each, remembered together for as long as the key is: for the few that are asked for of everybody at once.
        Not to be changed."""
        found = self._recurring.get((param, values))
        if found is None:
            found = self._recurring[param, values] = [self.token(param, value.encode()) for value in values]
        return found

    def encipher(self, block: bytes) -> bytes:
        """One block of 16 bytes as stored: equal blocks of this patient are equal, and nothing follows across patients."""
        return self._cipher().encryptor().update(block)

    def decipher(self, block: bytes) -> bytes:
        """The block again, or noise when it was enciphered under another key: the caller keeps a check in it."""
        return self._cipher().decryptor().update(block)

    def _cipher(self) -> "Cipher[modes.ECB]":
        # One block at a time, no two of them equal: ECB is the bare cipher, which is what is meant.
        self._blocks = self._blocks or _derive(self._key, b"blocks")
        return Cipher(algorithms.AES(self._blocks), modes.ECB())  # noqa: S305  # see above

    def permute(self, mask: int) -> int:
        """The class mask as stored."""
        return self._shuffle().permute(mask)

    def unpermute(self, mask: int) -> int:
        return self._shuffle().unpermute(mask)

    def _shuffle(self) -> Permutation:
        if self._permutation is None:
            self._permutation = Permutation(_derive(self._key, b"classes"))
        return self._permutation


def _derive(key: bytes, label: bytes) -> bytes:
    """HKDF-Expand-SHA256 to one block; the key is uniformly random, so nothing has to be extracted."""
    return hmac.digest(key, b"liaison " + label + b"\x01", "sha256")
