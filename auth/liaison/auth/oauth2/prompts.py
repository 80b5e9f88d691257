"""`prompt` and `max_age` (OpenID Connect Core §3.1.2.1), and the mark by which a request remembers what it has asked.

The server keeps nothing of a request, so what was asked of the person travels with it, sealed under the territory key: when,
of whom, and whether nobody was signed in. A mark is good for one request, in one browser, ten minutes, and once.
"""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.oauth2.errors import InvalidRequest
from liaison.auth.oauth2.keys import Sealer
from liaison.auth.people.browsers import Browser
from liaison.fhir.vault import NotAuthentic, context

VALUES: Final = ("none", "login", "consent", "select_account")
LIFETIME: Final = 600
SKEW: Final = timedelta(minutes=1)
"""By how much Pro Santé Connect's clock may be behind ours: its `auth_time` is what a sign-in there counts from."""
_SIZE: Final = 8

Pairs = Sequence[tuple[str, str]]


def read_prompt(text: str) -> frozenset[str]:
    """Raises InvalidRequest for a value that is not ours, and for `none` beside another."""
    found = frozenset(text.split())
    if not found <= set(VALUES):
        raise InvalidRequest(f"prompt is of {', '.join(VALUES)}.")
    if "none" in found and len(found) > 1:
        raise InvalidRequest("prompt=none stands alone.")
    return found


def read_max_age(text: str) -> int | None:
    """Seconds. Raises InvalidRequest for what is no such number."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest("max_age is a number of seconds.")
    return int(text)


class Mark(NamedTuple):
    """When the person was asked; the account that was chosen there (0: none); whether nobody was signed in."""

    asked_at: datetime
    account: int = 0
    nobody: bool = False


NEVER: Final = Mark(datetime.max.replace(tzinfo=UTC))
"""Nothing was asked: no proof is younger."""


class Wanted(NamedTuple):
    """What a request asks of the person's sign-in."""

    prompts: frozenset[str]
    max_age: int | None

    @property
    def marked(self) -> bool:
        """Whether it can ask anything that has to be remembered."""
        return self.max_age is not None or bool(self.prompts & {"login", "select_account"})

    def proof(self, browser: Browser, mark: Mark, now: datetime) -> bool:
        """Whether they have to prove once more who they are: not when they have done so since they were asked."""
        old = self.max_age is not None and now - browser.started_at > timedelta(seconds=self.max_age)
        return ("login" in self.prompts or old) and not _since(browser, mark)

    def choice(self, browser: Browser, mark: Mark) -> bool:
        """Whether they have to say as whom they go on: not when they have, or signed in for this very request."""
        chosen = mark.account == browser.account.number or (mark.nobody and _since(browser, mark))
        return "select_account" in self.prompts and not chosen


NOTHING: Final = Wanted(frozenset(), None)


def _since(browser: Browser, mark: Mark) -> bool:
    if mark == NEVER:
        return False
    return browser.started_at > mark.asked_at - (SKEW if browser.attested is not None else timedelta())


def _bound(pairs: Iterable[tuple[str, str]], cookie: str) -> bytes:
    return context("asked at an authorization", digest(urlencode(list(pairs))).hex(), digest(cookie).hex())


def write(sealer: Sealer, mark: Mark, pairs: Pairs, cookie: str) -> str:
    """The mark of the request `pairs`, in the browser that holds `cookie`."""
    at = int(mark.asked_at.timestamp() * 1_000_000)
    plain = b"".join((at.to_bytes(_SIZE, "big"), mark.account.to_bytes(_SIZE, "big"), bytes([mark.nobody])))
    return base64.urlsafe_b64encode(sealer.seal(_bound(pairs, cookie), plain)).rstrip(b"=").decode()


def read(sealer: Sealer, text: str, pairs: Pairs, cookie: str, now: datetime) -> Mark:
    """NEVER for one that is missing, forged, another request's or browser's, or too old."""
    if not text or not cookie:
        return NEVER
    try:
        plain = sealer.open(_bound(pairs, cookie), base64.urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}"))
    except (NotAuthentic, ValueError):
        return NEVER
    microseconds, account = int.from_bytes(plain[:_SIZE], "big"), int.from_bytes(plain[_SIZE : 2 * _SIZE], "big")
    asked_at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
    if not now - timedelta(seconds=LIFETIME) < asked_at <= now:
        return NEVER
    return Mark(asked_at, account, nobody=bool(plain[-1]))


async def used(connection: "asyncpg.Connection | asyncpg.Pool", client: int, text: str) -> bool:
    found: bool = await connection.fetchval(
        "select exists (select from assertion_seen where client = $1 and jti = $2)", client, digest(text)
    )
    return found


async def use(connection: "asyncpg.Connection | asyncpg.Pool", client: int, text: str) -> bool:
    """Uses a mark up. Of those who come with one at once, exactly one hears True."""
    first = await connection.fetchval(
        "insert into assertion_seen (client, jti, expires_at) values ($1, $2, clock_timestamp() + make_interval(secs => $3))"
        " on conflict do nothing returning true",
        client,
        digest(text),
        float(LIFETIME + 60),
    )
    return bool(first)
