"""No more of a body is read than allowed."""

from collections.abc import Iterator
from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, TooLarge
from liaison.services.api.body import Disconnected, read_body


class Client:
    """Sends these chunks, and remembers how many were taken."""

    def __init__(self, *chunks: bytes) -> None:
        self._left: Iterator[bytes] = iter(chunks)
        self._last = len(chunks)
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        self.taken += 1
        return {"type": "http.request", "body": next(self._left), "more_body": self.taken < self._last}


async def test_chunks_are_joined() -> None:
    assert await read_body(Client(b"ab", b"c").receive, "", 3) == b"abc"


async def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    client = Client(b"abcd")

    with pytest.raises(TooLarge):
        await read_body(client.receive, "4", 3)
    assert client.taken == 0


async def test_a_chunked_body_is_refused_at_the_chunk_that_passes_the_limit() -> None:
    client = Client(b"ab", b"cd", b"ef")

    with pytest.raises(TooLarge):
        await read_body(client.receive, "", 3)
    assert client.taken == 2


@pytest.mark.parametrize("declared", ["-1", "1e3", "+3", " 3"])
async def test_a_length_that_is_no_number_is_refused(declared: str) -> None:
    with pytest.raises(BadRequest):
        await read_body(Client(b"").receive, declared, 3)


async def test_a_client_that_leaves_is_not_answered() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Disconnected):
        await read_body(gone, "", 3)
