"""Whoever still sends when the answer is ready gets the answer, not a reset connection."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from liaison.services.api import lingering
from liaison.services.api.lingering import Lingering, has_body


class Connection:
    """A client that sends `chunks`, then nothing more; `done` says whether that was the whole body."""

    def __init__(self, *chunks: bytes, done: bool = True) -> None:
        self._left = list(chunks)
        self._done = done
        self.heard: list[MutableMapping[str, Any]] = []

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._left and not self._done:
            await asyncio.Event().wait()
        chunk = self._left.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self._left) or not self._done}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.heard.append({**message, "left": len(self._left)})

    async def refused(self) -> None:
        """What an application does that answers without having read."""
        ends = Lingering(self.receive, self.send)
        await ends.send({"type": "http.response.start", "status": 413, "headers": []})
        await ends.send({"type": "http.response.body", "body": b"no"})


async def test_the_answer_leaves_at_once_and_ends_when_the_body_has_arrived() -> None:
    client = Connection(b"a", b"b", b"c")

    await client.refused()

    _, said, end = client.heard
    assert (said["body"], said["more_body"], said["left"]) == (b"no", True, 3)
    assert (end["body"], end.get("more_body", False), end["left"]) == (b"", False, 0)


async def test_a_body_that_was_read_is_not_waited_for() -> None:
    client = Connection(b"a")
    ends = Lingering(client.receive, client.send)
    await ends.receive()

    await ends.send({"type": "http.response.body", "body": b"yes"})

    assert [message["body"] for message in client.heard] == [b"yes"]


async def test_a_client_that_never_ends_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LONGEST", 0.01)
    client = Connection(b"a", done=False)

    await client.refused()

    assert client.heard[-1]["body"] == b""


async def test_a_flood_is_not_taken_in_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "MOST", 2)
    client = Connection(*[b"a"] * 100)

    await client.refused()

    assert client.heard[-1]["left"] == 98


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([(b"content-length", b"3")], True),
        ([(b"transfer-encoding", b"chunked")], True),
        ([(b"content-length", b"3"), (b"expect", b"100-continue")], False),
        ([], False),
    ],
    ids=["length", "chunked", "asks-first", "none"],
)
def test_who_may_still_be_sending(headers: list[tuple[bytes, bytes]], answer: bool) -> None:
    assert has_body({"headers": headers}) is answer
