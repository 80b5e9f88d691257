"""What a history is asked, and its cursors: sealed to the caller and to the history, good for one hour like a search's."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

import orjson

from liaison.fhir.errors import BadRequest, Gone, shown
from liaison.fhir.model import dates
from liaison.fhir.search.page import LIFE, PARAMETER, dead
from liaison.fhir.search.parse import OF_THE_EDGE
from liaison.fhir.search.subset import PARAMETERS
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Caller
from liaison.fhir.store.versions import Place, Window
from liaison.fhir.vault import NotAuthentic, context

PAGE: Final = 50
LARGEST_PAGE: Final = 500
ALL: Final = Window()
_MOST_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of a history. `snapshot`, `after` and the horizon of the window are of the cursor, when it continues one;
    `query` is as it was sent, `shaping` what of it says which parts of a resource are shown."""

    count: int
    window: Window = ALL
    started: datetime = datetime.max
    snapshot: str = ""
    after: Place | None = None
    query: tuple[tuple[str, str], ...] = ()
    shaping: tuple[tuple[str, str], ...] = ()
    carried: tuple[tuple[str, str], ...] = ()
    """In which form the page is sent, and so the next one."""

    def from_here(self, snapshot: str, window: Window, after: Place) -> "Asked":
        return replace(self, snapshot=snapshot, window=window, after=after)

    def links(self, url: str, following: str = "") -> list[tuple[str, str]]:
        query = (*self.query, *self.carried)
        found = [("self", f"{url}?{urlencode(query)}" if query else url)]
        if following:
            found.append(("next", f"{url}?{urlencode([(PARAMETER, following), *self.carried])}"))
        return found


EVER: Final = Asked(1)


def asked(store: Store, caller: Caller, path: str, query: str) -> Asked:
    """The page that the query asks for. BadRequest names what it does not know; Gone for a cursor that is no more."""
    sent = parse_qsl(query, keep_blank_values=True)
    carried = tuple(one for one in sent if one[0] in OF_THE_EDGE)
    given = tuple(one for one in sent if one[0] not in OF_THE_EDGE)
    now = store.database.clock.now()
    cursors = [value for name, value in given if name == PARAMETER]
    if cursors:
        if len(given) > 1:
            raise BadRequest(f"'{PARAMETER}' continues a history as it was; it goes with no other parameter.")
        return replace(_unseal(store, caller, path, cursors[0], now), query=given, carried=carried)
    count, window, seen = PAGE, ALL, set()
    for name, value in given:
        if name in seen:
            raise BadRequest(f"The parameter '{shown(name)}' can be given once.")
        seen.add(name)
        match name:
            case "_count":
                count = _count(value)
            case "_since":
                window = window._replace(since=_since(value))
            case "_at":
                low, high = _at(value)
                window = window._replace(at=low, until=high)
            case "_list":
                raise BadRequest("The parameter '_list' is not supported for history.")
            case _ if name in PARAMETERS:
                continue
            case _:
                raise BadRequest(
                    f"The parameter '{shown(name)}' is not known for history; _count, _since, _at, _summary "
                    "and _elements are."
                )
    shaping = tuple(one for one in given if one[0] in PARAMETERS)
    return Asked(count, window, now, query=given, shaping=shaping, carried=carried)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(
            f"_count is a whole number from 0 to {LARGEST_PAGE}; a larger one gives pages of {LARGEST_PAGE}."
        )
    return min(int(text[:10]), LARGEST_PAGE)


def _since(text: str) -> datetime:
    """An instant; a date is its first moment."""
    found = dates.span(text.replace(" ", "+"))  # `+02:00` unescaped arrives with a space
    if found is None:
        raise BadRequest("_since is an instant, such as 2026-01-31T08:00:00Z; a date stands for its first moment.")
    return found[0]


def _at(text: str) -> tuple[datetime, datetime]:
    """The period of a date, dateTime or instant: versions current at some moment of it."""
    found = dates.span(text.replace(" ", "+"))
    if found is None:
        raise BadRequest("_at is a date, a dateTime or an instant, such as 2026-01-31.")
    return found


def seal(store: Store, caller: Caller, path: str, one: Asked) -> str:
    """The rest of a history, as a URL carries it: opaque, and of use to this caller only."""
    window = [None if moment is None else moment.isoformat() for moment in one.window]
    assert one.after is not None
    at, *numbers = one.after
    plain = orjson.dumps(
        [one.started.isoformat(), one.snapshot, one.count, window, at.isoformat(), numbers, one.shaping]
    )
    sealed = store.vault.cursor.seal(_bound_to(caller, path), plain)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _unseal(store: Store, caller: Caller, path: str, text: str, now: datetime) -> Asked:
    try:
        if len(text) > _MOST_LENGTH:
            raise Gone
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        plain = orjson.loads(store.vault.cursor.open(_bound_to(caller, path), sealed))
    except (binascii.Error, ValueError, NotAuthentic, Gone):
        raise dead() from None
    started, snapshot, count, window, at, numbers, shaping = plain
    if not timedelta() <= now - datetime.fromisoformat(started) < LIFE:
        raise dead()
    return Asked(
        count,
        Window(*_moments(window)),
        datetime.fromisoformat(started),
        snapshot,
        Place(datetime.fromisoformat(at), *numbers),
        shaping=tuple((name, value) for name, value in shaping),
    )


def _moments(texts: Sequence[str | None]) -> list[datetime | None]:
    return [None if text is None else datetime.fromisoformat(text) for text in texts]


def _bound_to(caller: Caller, path: str) -> bytes:
    return context("history", 1, path, *caller.identity)
