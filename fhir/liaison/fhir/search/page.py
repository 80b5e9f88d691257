"""Cursors: how a page is continued, and for how long (design: paging by key against a snapshot).

A cursor holds the search itself, the database snapshot of its first page and the last position, sealed under the
territory's cursor key to the caller it was made for. It is good for one hour: so long do the index rows of superseded
versions live. Rights are not in it: each page asks for them again, so a page may lose rows, never gain or repeat one.
"""

import base64
import binascii
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

from liaison.fhir.errors import Gone
from liaison.fhir.search.conditions import BEGINNING
from liaison.fhir.search.sql import Position
from liaison.fhir.store.contract import Caller
from liaison.fhir.vault import NotAuthentic, PatientKey, context

LIFE: Final = timedelta(hours=1)
PARAMETER: Final = "_cursor"
MOST_LENGTH: Final = 128 * 1024
_FORM: Final = 3
"""Of what is sealed. It is part of the seal: a cursor of another form, made before an update, is a dead one."""


class Cursor(NamedTuple):
    """`started` is the moment of the first page, `added` are the numbers of the parameters added by the territory that the
    query may name, as they were then. Either `position` or (`stored`, `offset`) says where the page begins;
    none of them: the first page. `position` is the last row before a cut: the page follows it, or with `backward` ends
    with it."""

    started: datetime
    snapshot: str
    pairs: tuple[tuple[str, str], ...]
    lenient: bool
    compartment: str
    total: int | None
    position: Position | None = None
    stored: bytes = b""
    offset: int = 0
    backward: bool = False
    added: tuple[int, ...] = ()


def seal(key: PatientKey, caller: Caller, type_: str, cursor: Cursor) -> str:
    """The cursor as a URL carries it: opaque, and of use to this caller only."""
    position = cursor.position
    plain = orjson.dumps(
        [
            cursor.started.isoformat(),
            cursor.snapshot,
            cursor.pairs,
            cursor.lenient,
            cursor.compartment,
            cursor.total,
            None if position is None else [_text(position.moment), position.res, position.patient],
            cursor.stored.hex(),
            cursor.offset,
            cursor.backward,
            cursor.added,
        ]
    )
    return base64.urlsafe_b64encode(key.seal(_bound_to(caller, type_), plain)).rstrip(b"=").decode()


def unseal(key: PatientKey, caller: Caller, type_: str, text: str, now: datetime) -> Cursor:
    """Gone for a cursor that is too old, of another caller or type, or no cursor at all: one answer for all of them."""
    try:
        if len(text) > MOST_LENGTH:
            raise Gone
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        plain = orjson.loads(key.open(_bound_to(caller, type_), sealed))
    except (binascii.Error, ValueError, NotAuthentic, Gone):
        raise dead() from None
    started, snapshot, pairs, lenient, compartment, total, position, stored, offset, backward, added = plain
    cursor = Cursor(
        datetime.fromisoformat(started),
        snapshot,
        tuple((name, value) for name, value in pairs),
        lenient,
        compartment,
        total,
        None if position is None else Position(_moment(position[0]), position[1], position[2]),
        bytes.fromhex(stored),
        offset,
        backward,
        tuple(added),
    )
    if not timedelta() <= now - cursor.started < LIFE:
        raise dead()
    return cursor


def dead() -> Gone:
    return Gone("This page can no longer be continued. Run the search again from its first page.")


def _bound_to(caller: Caller, type_: str) -> bytes:
    return context("cursor", _FORM, type_, *caller.identity)


def _text(moment: datetime) -> str:
    return "" if moment == BEGINNING else moment.isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else BEGINNING
