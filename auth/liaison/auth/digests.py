"""How every secret that we hand out is kept: codes, refresh tokens, cookies. A stolen database signs nobody in."""

import hashlib


def digest(secret: str) -> bytes:
    """SHA-256. Enough for secrets of 256 random bits; passwords and PINs are hashed by people.hashes instead."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
