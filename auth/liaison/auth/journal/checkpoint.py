"""Signed checkpoints: https://c2sp.org/tlog-checkpoint in a https://c2sp.org/signed-note, Ed25519.

A checkpoint kept elsewhere (by the hospital, the department) proves that nothing before it was changed since.
"""

import base64
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519: Final = b"\x01"
_DASH: Final = "— "


class NotSigned(Exception):
    """The note is malformed, or carries no valid signature of the key that was asked for."""


class Checkpoint(NamedTuple):
    """The tree at one moment: its size and root, under the name of the log."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The body of the note: what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        if not line.startswith(_DASH) or not name:
            raise ValueError
        return name, base64.b64decode(encoded, validate=True)
    except ValueError:  # binascii.Error is one
        raise NotSigned("The note is malformed.") from None


class Verifier:
    """A public key of signed notes. `str()` gives it in the form that C2SP tools read: name+id+key."""

    def __init__(self, name: str, public: bytes) -> None:
        if not name or any(character.isspace() or character == "+" for character in name):
            raise NotSigned("The key has no usable name.")
        self.name, self._public = name, public
        self._key_id = _key_id(name, public)

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Raises NotSigned when the text is no Ed25519 verifier key."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            key = base64.b64decode(encoded, validate=True)
            known = cls(name, key[1:])
        except ValueError:  # binascii.Error is one
            raise NotSigned("This is not a verifier key: name+id+key was expected.") from None
        if key[:1] != _ED25519 or len(key) != 33 or known._key_id.hex() != key_id:
            raise NotSigned("This is not an Ed25519 verifier key, or its id does not match.")
        return known

    def __str__(self) -> str:
        return f"{self.name}+{self._key_id.hex()}+{base64.b64encode(_ED25519 + self._public).decode()}"

    def text(self, note: str) -> str:
        """The text of the note, once a signature of this key on it has been found valid. Others are not looked at."""
        body, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            raise NotSigned("The note is malformed.")
        body += "\n"
        mine = [
            signature
            for name, signature in (_signature(line) for line in signatures[:-1].split("\n"))
            if name == self.name and signature[:4] == self._key_id
        ]
        if not mine:
            raise NotSigned("The note carries no signature of this key.")
        try:
            Ed25519PublicKey.from_public_bytes(self._public).verify(mine[0][4:], body.encode())
        except InvalidSignature:
            raise NotSigned("The signature does not match the note.") from None
        return body

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note signed by this key, of the log that bears the key's name."""
        lines = self.text(note).split("\n")
        try:
            origin, size, root = lines[:3]
            found = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
        except ValueError:  # binascii.Error is one
            raise NotSigned("The note is no checkpoint.") from None
        if origin != self.name or len(found.root) != 32 or str(found.size) != size or found.size < 0:
            raise NotSigned("The note is no checkpoint of this log.")
        return found


class Signer:
    """The journal's signing key. The log is named after it, so that no two installations share a name."""

    def __init__(self, seed: bytes, name: str = "") -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier = Verifier(name or f"liaison-journal-{sha256(public).hexdigest()[:16]}", public)

    def sign(self, text: str) -> str:
        """The signed note of a text that ends with a newline."""
        signature = _key_id_of(self.verifier) + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {base64.b64encode(signature).decode()}\n"

    def checkpoint(self, size: int, root: bytes) -> str:
        """A signed checkpoint of this journal."""
        return self.sign(Checkpoint(self.verifier.name, size, root).text())


def _key_id_of(verifier: Verifier) -> bytes:
    return bytes.fromhex(str(verifier).split("+")[1])
