"""What the reverse proxy says of a call, believed only when it came over the proxy's own socket.

Anyone can send a header. Over TCP, also from this machine, `Client-Cert` is dropped before anything reads it; over the
Unix socket that LIAISON_PROXY_SOCKET names, which only the proxy can open, it is the certificate that the caller has
shown (RFC 9440), and `X-Real-IP` is the address the caller has. The proxy sets both at every request, so that what a
caller sends under these names never gets through it (RFC 9440 §4): deploy/nginx.
"""

import ipaddress
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

from liaison.auth.oauth2.rfc9440 import HEADER

Scope = MutableMapping[str, Any]

CERTIFICATE: Final = HEADER.encode()
ADDRESS: Final = b"x-real-ip"


class Proxied:
    """One a worker. `socket` None: there is no proxy that could be believed."""

    def __init__(self, socket: Path | None) -> None:
        self._socket = str(socket) if socket else ""

    def settle(self, scope: Scope) -> Scope:
        """The scope with what may be believed in it, and nothing else of the kind."""
        if self._socket and scope.get("server") == (self._socket, None):
            return _believed(scope)
        if any(name == CERTIFICATE for name, _ in scope["headers"]):
            kept = [header for header in scope["headers"] if header[0] != CERTIFICATE]
            return {**scope, "headers": kept}
        return scope


def _believed(scope: Scope) -> Scope:
    said = [value.decode("latin-1") for name, value in scope["headers"] if name == ADDRESS]
    try:
        return {**scope, "client": (str(ipaddress.ip_address(said[0])), 0)} if len(said) == 1 else scope
    except ValueError:
        return scope
