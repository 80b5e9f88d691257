"""What waits for a person: read again by whoever empties the tray, and settled with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry
from liaison.auth.people import sent_visits
from liaison.auth.people.sent_visits import Sent
from liaison.fhir.store import faults
from liaison.fhir.vault import NotAuthentic
from liaison.services.delivery.letter import VISIT
from liaison.services.delivery.receiving import context_of
from liaison.services.house import House

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """`kind`: what it tells (letter.VISIT…). `form` is what was filled in, {} for what could not be read. `patient` is the id that was told, '' for none: no proof of
    whose it is. `corrects`: the number of the visit that it tells anew, None for a visit of its own. `asked`: the form that was filled in. `aide`, `service`: References,
    {} when not known. `written`: by our clock."""

    sent: Sent
    kind: str
    form: Mapping[str, list[str]]
    patient: str
    appointment: str
    corrects: UUID | None
    written: datetime | None
    aide: Tree
    service: Tree
    asked: str


async def waiting(house: House, organization: int, state: str = sent_visits.CHECKING) -> list[Waiting]:
    """Oldest first."""
    with faults.reported():
        found = await sent_visits.waiting(house.database.reading, organization, state)
        keys = await house.vault.patient_keys(house.database, {one.patient for one in found})
    return [_opened(house, one, keys) for one in found]


async def one_waiting(house: House, organization: int, visit: UUID, digest: bytes) -> Waiting | None:
    """None for what does not wait (any more) for somebody of this service."""
    return next((one for one in await waiting(house, organization) if one.sent[:2] == (visit, digest)), None)


def _opened(house: House, sent: Sent, keys: Mapping[int, Any]) -> Waiting:
    key = keys.get(sent.patient)
    try:
        told = orjson.loads(key.open(context_of(sent.visit, sent.digest), sent.sealed)) if key and sent.sealed else {}
    except (NotAuthentic, orjson.JSONDecodeError):
        told = {}
    written = told.get("written", "")
    return Waiting(
        sent,
        told.get("kind", VISIT),
        told.get("form", {}),
        told.get("patient", ""),
        told.get("appointment", ""),
        UUID(told["corrects"]) if told.get("corrects") else None,
        datetime.fromisoformat(written) if written else None,
        told.get("aide", {}),
        told.get("service", {}),
        told.get("asked", ""),
    )


async def settle(house: House, caller: Caller, one: Waiting, *, filed: bool, told: Entry, word: str = "") -> bool:
    """False when somebody else was faster. `word`: why it was not filed; `told` says so in the journal, or nothing is decided."""
    keys = await house.vault.patient_keys(house.database, {one.sent.patient})
    key = keys.get(one.sent.patient, house.vault.territory)
    sealed = key.seal(context_of(one.sent.visit, one.sent.digest), word.encode()) if word else None
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            done = await sent_visits.settle(
                connection,
                one.sent,
                state=sent_visits.FILED if filed else sent_visits.SETTLED,
                by=caller.account,
                word=sealed,
            )
            if done:
                await house.journal.record_within(connection, (told,))
            return done
