"""gzip for who takes it, and bodies that come in it: within their limit whatever they claim."""

import contextlib
import gzip
import os
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.errors import BadRequest, NotAcceptable, TooLarge
from liaison.services.api import compression

LIMIT = 1024 * 1024


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("br, deflate", "identity"),
        ("*", "gzip"),
        ("br;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("gzip; Q=0.5 , br", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.0, *", "identity"),
        ("gzip;q=0.2, identity;q=0.8", "identity"),
        ("gzip;q=0.8, identity;q=0.2", "gzip"),
        ("identity", "identity"),
        ("gzip, identity;q=0", "gzip only"),
        ("gzip, *;q=0", "gzip only"),
        ("identity;q=0, *", "gzip only"),
        ("*;q=0, identity", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;level=9", "identity"),
        (", ,gzip", "gzip"),
    ],
)
def test_the_header_says_what_the_client_takes(header: str, coding: str) -> None:
    assert compression.accepted(header) == coding


@pytest.mark.parametrize("header", ["identity;q=0", "*;q=0", "br, identity;q=0", "gzip;q=0, identity;q=0.000"])
def test_who_takes_nothing_we_have_is_told(header: str) -> None:
    with pytest.raises(NotAcceptable):
        compression.accepted(header)


@given(st.binary(max_size=5000), st.booleans())
def test_every_reader_reads_what_was_packed(body: bytes, apart: bool) -> None:
    packed = compression.packed(body, zlib.Z_NO_COMPRESSION if apart else 4)

    assert gzip.decompress(packed) == body
    assert compression.inflated(packed, len(body)) == body


def test_the_reader_of_the_operating_system_reads_it_too() -> None:
    body = b'{"resourceType":"Bundle"}' * 1000
    packed = compression.packed(body, 4)

    read = subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True).stdout

    assert read == body
    assert len(packed) < len(body) / 10


async def test_the_length_of_an_answer_is_not_twice_the_same() -> None:
    body = b'{"resourceType":"Bundle"}' * 1000

    assert len({len(await compression.gzip(body, apart=False)) for _ in range(30)}) > 5


async def test_what_may_hold_a_token_is_packed_by_its_length_alone() -> None:
    """Text that repeats a secret makes a compressed answer shorter; here it does not."""

    async def least(guess: bytes, *, apart: bool) -> int:
        body = b'{"token":"4f1c9ae27b","sent":"' + guess + b'"}'
        return min([len(await compression.gzip(body, apart=apart)) for _ in range(3000)])

    assert await least(b"4f1c9ae27b", apart=True) == await least(b"86d0e5b3a9", apart=True)
    assert await least(b"4f1c9ae27b", apart=False) < await least(b"86d0e5b3a9", apart=False)


async def test_a_body_in_gzip_is_unpacked() -> None:
    body = os.urandom(5000) + bytes(90_000)

    for coding in ("gzip", "X-GZIP ", "gzip"):
        assert await compression.received(gzip.compress(body), coding, LIMIT) == body
    assert await compression.received(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", LIMIT) == b"ab"
    assert await compression.received(body, "identity", LIMIT) == body
    assert await compression.received(b"", "gzip", LIMIT) == b""


@pytest.mark.parametrize("more", [0, 1])
def test_the_limit_is_that_of_what_comes_out(more: int) -> None:
    packed = gzip.compress(bytes(LIMIT + more))

    if more:
        with pytest.raises(TooLarge):
            compression.inflated(packed, LIMIT)
    else:
        assert len(compression.inflated(packed, LIMIT)) == LIMIT


def test_members_count_together() -> None:
    with pytest.raises(TooLarge):
        compression.inflated(gzip.compress(bytes(LIMIT // 2 + 1)) * 2, LIMIT)


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * LIMIT), 1)

    def peak(unpack: Callable[[bytes], object]) -> int:
        tracemalloc.start()
        try:
            with contextlib.suppress(TooLarge):
                unpack(bomb)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(lambda body: compression.inflated(body, LIMIT)) < 4 * LIMIT
    assert peak(gzip.decompress) > 60 * LIMIT  # what it is refused for


def test_thousands_of_empty_members_are_refused() -> None:
    with pytest.raises(BadRequest, match="members"):
        compression.inflated(gzip.compress(b"") * 100_000, LIMIT)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        gzip.compress(b"{}", mtime=0)[:-1],
        gzip.compress(b"{}", mtime=0)[:12],
        gzip.compress(b"{}", mtime=0) + b"more",
        gzip.compress(b"{}", mtime=0)[:-5] + b"\0\0\0\0\0",
        zlib.compress(b"{}"),
    ],
)
def test_what_is_no_gzip_is_told_so(body: bytes) -> None:
    with pytest.raises(BadRequest, match="gzip"):
        compression.inflated(body, LIMIT)
