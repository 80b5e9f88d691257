"""Calls from pages of other origins, as configured: https://fetch.spec.whatwg.org/#http-cors-protocol. None by default.

Credentials are never allowed: the FHIR API knows no cookie, so a page calls with the token it was given or not at all.
`metadata` names no record and is open to every origin, as SMART asks of what an app discovers a server by.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

Headers = list[tuple[bytes, bytes]]

ASKED: Final = "access-control-request-headers"
_OPEN: Final = "metadata"
_READ: Final = (
    "allow", "content-location", "dpop-nonce", "etag", "last-modified", "location", "preference-applied", "retry-after",
    "www-authenticate", "x-request-id",
)  # fmt: skip
_TAKEN: Final = (
    "accept", "authorization", "content-encoding", "content-type", "dpop", "if-match", "if-modified-since",
    "if-none-exist", "if-none-match", "prefer", "x-request-id",
)  # fmt: skip
_EXPOSED: Final = (b"access-control-expose-headers", ", ".join(_READ).encode())
_OWN: Final = re.compile(r"x-[a-z0-9-]{1,40}")
_MOST_OWN: Final = 20
_VARY: Final = (b"vary", b"origin")


class Origins:
    """The origins whose pages may read what the FHIR API answers."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {origin: (b"access-control-allow-origin", origin.encode()) for origin in allowed}

    def answer(self, headers: Mapping[str, str], path: str) -> Headers:
        """What an answer says to the page that asked; nothing when it may not read it."""
        is_open = path.removesuffix("/") == _OPEN
        if not self._allowed and not is_open:
            return []
        origin = headers.get("origin", "")
        if is_open:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED] if origin else []
        named = self._allowed.get(origin)
        return [_VARY] if named is None else [named, _EXPOSED, _VARY]

    def preflight(self, headers: Mapping[str, str], path: str, methods: str) -> tuple[tuple[str, str], ...]:
        """What an answer to OPTIONS adds for a page that may call: every method served there, and the headers that mean
        something here. A client's own X- headers are let through: they are not looked at."""
        if headers.get("origin", "") not in self._allowed and path.removesuffix("/") != _OPEN:
            return ()
        asked = (name.strip().lower() for name in headers.get(ASKED, "").split(","))
        own = [name for name in asked if _OWN.fullmatch(name) and name not in _TAKEN][:_MOST_OWN]
        return (
            ("access-control-allow-methods", methods),
            ("access-control-allow-headers", ", ".join([*_TAKEN, *own])),
            ("access-control-max-age", "3600"),
            ("vary", ASKED),
        )
