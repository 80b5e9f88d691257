"""Who keeps the key above all keys. A provider wraps and unwraps shelf keys, and nothing else."""

import os
import secrets
import stat
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = "liaison-key-1 "


class ProviderError(RuntimeError):
    """The provider's secret is missing, readable by others, or not the one of this database. Says which and where."""


class KeyProvider(Protocol):
    """Asynchronous, because some providers are across a network. `bound_to` is authenticated."""

    @property
    def name(self) -> str:
        """For people: what it is and where its secret lies. Never the secret."""

    async def wrap(self, key: bytes, bound_to: bytes) -> bytes: ...

    async def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises ProviderError when this is not the provider that wrapped it."""


class FileKeyProvider:
    """A secret in a file of mode 0600: for the sandbox, tests, and machines whose disk is guarded otherwise."""

    def __init__(self, path: Path) -> None:
        """Raises ProviderError, naming the file, if it is missing, not ours alone, or not a key file."""
        self.path = path
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a named pipe would wait
        except FileNotFoundError:
            raise ProviderError(
                f"The key file {path} is missing. Without it nothing in the database opens. Put it back, or make it again "
                "from its envelopes: liaison keys recover. A first installation makes it: liaison init."
            ) from None
        except OSError as error:
            raise ProviderError(f"The key file {path} cannot be read: {error.strerror}.") from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ProviderError(f"{path} is not a file: the key file is a plain file of mode 0600.")
            if stat.S_IMODE(status.st_mode) & 0o077:
                raise ProviderError(f"The key file {path} is open to other accounts. Run: chmod 600 {path}")
            content = os.read(descriptor, 200)
        except OSError as error:
            raise ProviderError(f"The key file {path} cannot be read: {error.strerror}.") from None
        finally:
            os.close(descriptor)
        try:
            text = content.decode("ascii").strip()
            if not text.startswith(_MARK):
                raise ValueError
            secret = bytes.fromhex(text.removeprefix(_MARK))
            self._key = AESGCM(secret)
        except ValueError:
            raise ProviderError(f"{path} is not a Liaison key file.") from None

    @classmethod
    def create(cls, path: Path) -> Self:
        """Makes a new secret. Never overwrites."""
        return cls.write(path, secrets.token_bytes(32))

    @classmethod
    def write(cls, path: Path, secret: bytes) -> Self:
        """A key file with this secret, recovered from elsewhere. Never overwrites."""
        if len(secret) != 32:
            raise ProviderError("A secret has 32 bytes.")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise ProviderError(f"The key file {path} exists already.") from None
        except OSError as error:
            raise ProviderError(f"The key file {path} cannot be made: {error.strerror}.") from None
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{_MARK}{secret.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        return cls(path)

    @property
    def name(self) -> str:
        return f"file {self.path}"

    async def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        nonce = os.urandom(12)  # a shelf a month: far from the bound of random nonces
        return nonce + self._key.encrypt(nonce, key, bound_to)

    async def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        try:
            return self._key.decrypt(wrapped[:12], wrapped[12:], bound_to)
        except (InvalidTag, ValueError):
            raise ProviderError(f"The key file {self.path} is not the one this database was made with.") from None
