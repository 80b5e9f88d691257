"""What a proxy says of a call is believed over its own socket, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest

from liaison.services.proxied import Proxied

SOCKET = Path("/run/liaison/proxy.sock")
SAID = [(b"client-cert", b":AA==:"), (b"x-real-ip", b"192.0.2.7"), (b"accept", b"*/*")]


def scope(server: Any, headers: list[tuple[bytes, bytes]] | None = None) -> dict[str, Any]:
    return {"type": "http", "server": server, "client": ("127.0.0.1", 5), "headers": headers or SAID}


def test_over_the_socket_both_are_taken() -> None:
    settled = Proxied(SOCKET).settle(scope((str(SOCKET), None)))

    assert settled["headers"] == SAID
    assert settled["client"] == ("192.0.2.7", 0)


@pytest.mark.parametrize("server", [("127.0.0.1", 8080), ("/run/other.sock", None), ("::1", 8080), None])
@pytest.mark.parametrize("socket", [SOCKET, None])
def test_from_anywhere_else_neither_is(server: Any, socket: Path | None) -> None:
    settled = Proxied(socket).settle(scope(server))

    assert b"client-cert" not in dict(settled["headers"])
    assert settled["client"] == ("127.0.0.1", 5)


@pytest.mark.parametrize(
    "headers",
    [[(b"x-real-ip", b"not an address")], [(b"x-real-ip", b"")], [(b"x-real-ip", b"192.0.2.7")] * 2, [(b"a", b"b")]],
)
def test_an_address_that_is_none_is_not_taken(headers: list[tuple[bytes, bytes]]) -> None:
    assert Proxied(SOCKET).settle(scope((str(SOCKET), None), headers))["client"] == ("127.0.0.1", 5)
