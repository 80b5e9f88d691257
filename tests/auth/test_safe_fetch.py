"""One safe GET: what an address chosen by someone else can do to us, tried against real servers on this machine."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from tests.certificates import authority, issued, name_of

from liaison.auth import safe_fetch
from liaison.auth.safe_fetch import UNSAID, Fetcher, NotFetched, address_problem, is_public

HOST = "keys.vendor.example"
PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:1::1",
    "", "localhost", "0x7f000001", "2130706433", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "::ffff:1.1.1.1", "2606:4700:4700::1111"])
def test_what_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.vendor.example/jwks",
        "ftp://keys.vendor.example/jwks",
        "file:///etc/passwd",
        "https://user@keys.vendor.example/jwks",
        "https://user:secret@keys.vendor.example/jwks",
        "https://keys.vendor.example@127.0.0.1/",
        "https://keys.vendor.example/jwks#part",
        "https://keys.vendor.example\\@127.0.0.1/",
        "https://keys.vendor.example/a b",
        "https://keys.vendor.example/a\r\nX-Injected: 1",
        "https://keys.vendor.example:99999/",
        "https://keys.vendor.example:0/",
        "https://é.example/",
        "https:///jwks",
        "https://[::1",
        "jwks",
        "",
    ],
)
async def test_an_address_is_refused_by_its_text(url: str) -> None:
    assert address_problem(url)
    with pytest.raises(NotFetched):
        await Fetcher().get(url)


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def said(text: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(text.replace("\n", "\r\n", text.count("\n") if "\r" not in text else 0).encode())

    return answer


def document(body: str = "{}", *headers: str, status: str = "200 OK") -> Answer:
    head = "".join(f"{one}\r\n" for one in headers)
    return said(f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}")


class Vendor:
    """A server at 127.0.0.1 that the tests' name server calls keys.vendor.example."""

    def __init__(self, port: int, authority_file: Path) -> None:
        self.port = port
        self.trust = ssl.create_default_context(cafile=str(authority_file))
        self.asked: list[bytes] = []
        self.resolutions: list[Sequence[str]] = [["127.0.0.1"]]
        self.answer: Answer = document()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            await self.answer(writer)
            await writer.drain()
        writer.close()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        assert (host, port) == (HOST, self.port)
        return self.resolutions.pop(0) if len(self.resolutions) > 1 else self.resolutions[0]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/jwks.json"

    def fetcher(self, *, private: bool = True) -> Fetcher:
        return Fetcher(private=private, resolve=self.resolve, believed=self.trust)


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[Vendor]:
    ours = authority()
    (tmp_path / "authority.pem").write_bytes(ours.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issued(ours, name_of(HOST), (HOST,)).write(tmp_path, "server"))
    made: list[Vendor] = []
    server = await asyncio.start_server(lambda r, w: made[0].serve(r, w), "127.0.0.1", 0, ssl=context)
    made.append(Vendor(server.sockets[0].getsockname()[1], tmp_path / "authority.pem"))
    yield made[0]
    server.close()


async def test_a_document_is_fetched_and_nothing_of_ours_goes_along(vendor: Vendor) -> None:
    vendor.answer = document('{"keys": []}', "Cache-Control: public, max-age=600")

    found = await vendor.fetcher().get(vendor.url)

    assert found == safe_fetch.Document(b'{"keys": []}', 600)
    head = vendor.asked[0].decode().lower()
    assert head.startswith("get /jwks.json http/1.1\r\n")
    assert f"host: {HOST}:{vendor.port}" in head
    assert not any(word in head for word in ("cookie", "authorization", "referer"))


async def test_a_private_address_is_refused_before_anything_is_sent(vendor: Vendor) -> None:
    with pytest.raises(NotFetched, match="public internet"):
        await vendor.fetcher(private=False).get(vendor.url)

    assert vendor.asked == []
    # The planted fault: without the rule, the same call reaches this machine.
    await vendor.fetcher(private=True).get(vendor.url)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("addresses", [[], ["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["::ffff:127.0.0.1"]])
async def test_one_private_address_among_others_is_enough_to_refuse(vendor: Vendor, addresses: list[str]) -> None:
    vendor.resolutions = [addresses]

    with pytest.raises(NotFetched, match="public internet"):
        await vendor.fetcher(private=False).get(vendor.url)


async def test_the_connection_goes_to_the_address_that_was_checked(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a public address when it is checked, a private one when it is connected to."""
    vendor.resolutions = [["1.1.1.1"], ["127.0.0.1"]]
    reached: list[str] = []

    async def connect(host: str, port: int, **more: object) -> object:
        reached.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", connect)

    with pytest.raises(NotFetched):
        await vendor.fetcher(private=False).get(vendor.url)

    assert reached == ["1.1.1.1"]
    assert vendor.asked == []


async def test_the_certificate_must_be_of_the_name(vendor: Vendor) -> None:
    async def anywhere(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    with pytest.raises(NotFetched, match="HTTPS"):
        await Fetcher(private=True, resolve=anywhere, believed=vendor.trust).get(
            f"https://other.vendor.example:{vendor.port}/"
        )
    with pytest.raises(NotFetched, match="HTTPS"):  # an authority that this machine does not know
        await Fetcher(private=True, resolve=anywhere).get(vendor.url)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_no_redirect_is_followed(vendor: Vendor, status: str) -> None:
    vendor.answer = document("", f"Location: {vendor.url}?again", status=status)

    with pytest.raises(NotFetched, match="not 200"):
        await vendor.fetcher().get(vendor.url)

    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        document("x" * (safe_fetch.LARGEST + 1)),
        document("", status="404 Not Found"),
        document("", status="204 No Content"),
        said("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
        said("HTTP/1.1 200 OK\r\n" + "X-Filler: a\r\n" * 5000),
        said("not HTTP at all\r\n\r\n"),
        said(""),
    ],
    ids=["large", "404", "204", "short", "headers", "rubbish", "silence"],
)
async def test_anything_but_a_small_whole_document_is_refused(vendor: Vendor, answer: Answer) -> None:
    vendor.answer = answer

    with pytest.raises(NotFetched):
        await vendor.fetcher().get(vendor.url)


async def test_a_body_without_end_stops_at_the_limit(vendor: Vendor) -> None:
    sent = 0

    async def forever(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 50 * safe_fetch.LARGEST:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()
            sent += 4096

    vendor.answer = forever

    with pytest.raises(NotFetched, match="larger"):
        await vendor.fetcher().get(vendor.url)


async def test_a_slow_answer_is_given_up_whole(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte from time to time would keep a limit on each read alive for ever."""
    monkeypatch.setattr(safe_fetch, "SECONDS", 0.5)

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        for _ in range(600):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    vendor.answer = drip

    with pytest.raises(NotFetched, match="within"):
        await vendor.fetcher().get(vendor.url)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], UNSAID),
        (["max-age=30"], 30),
        (["public, max-age=30, immutable"], 30),
        (['max-age="30"'], 30),
        (["MAX-AGE=30"], 30),
        (["no-store"], 0),
        (["no-cache, max-age=30"], 0),
        (["max-age=30", "no-store"], 0),
        (["max-age=30, max-age=60"], 0),
        (["max-age=-1"], 0),
        (["max-age=soon"], 0),
        (["max-age=99999999999999"], 0),
        (["public"], 0),
    ],
)
async def test_how_long_it_may_be_kept(vendor: Vendor, headers: list[str], seconds: int) -> None:
    vendor.answer = document("{}", *(f"Cache-Control: {value}" for value in headers))

    assert (await vendor.fetcher().get(vendor.url)).max_age == seconds
