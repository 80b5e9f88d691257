"""HTTP to the provider whose issuer the operator has configured. No redirect is followed, size and time are bounded."""

import asyncio
import http.client
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import orjson

from liaison.auth import trust

SECONDS: Final = 10.0
LARGEST: Final = 256 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class NotAnswered(Exception):
    """The provider could not be asked, or did not answer as it should. The text holds nothing of the answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content: dict[str, Any]


def trusted(url: object) -> str:
    """An address that may be asked: https, or this machine's own. Raises NotAnswered."""
    parts = urlsplit(str(url))
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return str(url)
    raise NotAnswered("An address of the provider is not https.")


def basic(client_id: str, secret: str) -> str:
    """client_secret_basic (RFC 6749 §2.3.1)."""
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


async def ask(url: str, *, form: Mapping[str, str] | None = None, authorization: str = "") -> Reply:
    """GET, or POST of a form. Raises NotAnswered unless the answer is a JSON object."""
    headers = {"accept": "application/json", **({"authorization": authorization} if authorization else {})}
    body = None
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = urlencode(form)
    try:
        async with asyncio.timeout(SECONDS * 2):
            return await asyncio.to_thread(_ask, trusted(url), body, headers)
    except (OSError, http.client.HTTPException, TimeoutError, ValueError):
        raise NotAnswered("The provider did not answer.") from None


def _ask(url: str, body: str | None, headers: Mapping[str, str]) -> Reply:
    parts = urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=SECONDS, context=trust.machine()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if body is None else "POST", target, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read(LARGEST + 1)
    finally:
        connection.close()
    if len(content) > LARGEST:
        raise NotAnswered("The provider's answer is too long.")
    found = orjson.loads(content)
    if not isinstance(found, dict):
        raise NotAnswered("The provider's answer is no JSON object.")
    return Reply(answer.status, found)
