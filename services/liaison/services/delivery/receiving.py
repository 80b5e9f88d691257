"""Takes in what a telephone brings: a receipt for everything, and a place for everything. Nothing is refused for good.

The number of the visit is its idempotency key: the same content again gives the same receipt; another content under the same
number waits for a person. A receipt is given once what it says is on disk.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import orjson

from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import permits, sent_visits, visit_keys
from liaison.auth.people.permits import NoPermit, Permit
from liaison.auth.people.sent_visits import CHECKING, FILED, PROTECTED, Sent
from liaison.auth.people.visit_keys import Unreadable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request
from liaison.fhir.vault import PatientKey, context
from liaison.services.delivery import correcting, filing, judging, opposing, protecting, returning
from liaison.services.delivery import letter as letters
from liaison.services.delivery.filing import NotFiled
from liaison.services.delivery.letter import OPPOSITION, REPORT, RETURN, VISIT, Letter, NoLetter
from liaison.services.house import House
from liaison.services.pages import once

TERRITORY: Final = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """What came: the number, the name of the key, what was sealed to it, and the telephone's clock when it was sent."""

    visit: UUID
    kid: str
    sealed: bytes
    clock: datetime

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.sealed).digest()


class Receipt(NamedTuple):
    """`state` is FILED, or CHECKING: a person of the service looks at it."""

    visit: UUID
    digest: bytes
    state: str
    at: datetime


class _Told(NamedTuple):
    """What could be read of a parcel; `why` it waits, '' for what may be filed."""

    why: str
    letter: Letter | None = None
    permit: Permit | None = None
    patient: int = 0
    written: datetime | None = None


async def receive(house: House, carrier: Caller, phone: int, parcel: Parcel) -> Receipt:
    """`carrier` is whoever is signed in on the telephone: not the author, and no right comes of it. Raises Unavailable.

    One parcel of a number at a time, on all the workers: two tabs that send together file once."""
    async with once.alone(house, f"visit {parcel.visit}"):
        return await _received(house, carrier, phone, parcel)


async def _received(house: House, carrier: Caller, phone: int, parcel: Parcel) -> Receipt:
    pool = house.database.writing
    with faults.reported():
        before = await sent_visits.known(pool, parcel.visit)
    if again := next((one for one in before if one.digest == parcel.digest), None):
        return _receipt(again)
    told = await _read(house, parcel, other=bool(before))
    if not told.why and told.letter and told.permit and told.written:
        try:
            await _put(house, told.letter, told.permit, told.written)
        except NotFiled as no:
            told = told._replace(why=no.why)
    return await _kept(house, carrier, phone, parcel, told)


async def _put(house: House, letter: Letter, permit: Permit, written: datetime) -> None:
    if letter.kind == OPPOSITION:
        await opposing.oppose(house, letter, permit, written)
    elif letter.kind == REPORT:
        await protecting.report(house, letter, permit, written, house.database.clock.now())
    elif letter.kind == RETURN:
        await returning.home_again(house, letter, permit, written, house.database.clock.now())
    elif letter.corrects is not None:
        await correcting.correct(house, letter, permit, written, house.database.clock.now())
    else:
        await filing.file(house, letter, permit, written, house.database.clock.now())


async def _read(house: House, parcel: Parcel, *, other: bool) -> _Told:
    pool, territory = house.database.writing, house.vault.territory
    try:
        with faults.reported():
            content = await visit_keys.opened(pool, territory, parcel.kid, parcel.sealed)
        letter = letters.read(content)
    except (Unreadable, NoLetter):
        return _Told("unreadable")
    if letter.visit != parcel.visit:
        return _Told("unreadable")
    try:
        permit = permits.read(territory, letter.permit)
    except NoPermit:
        return _Told("permit", letter)
    received = house.database.clock.now()
    written = judging.put_right(letter, by_telephone=parcel.clock, by_us=received)
    key = house.store.key("Patient", letter.patient)
    # Whose it is counts only where the permit says so: an id is no proof.
    patient = key.patient if key is not None and letter.patient in permit.patients else TERRITORY
    told = _Told("", letter, permit, patient, written)
    if why := judging.not_covered(letter, permit, written, received):
        return told._replace(why=why)
    with faults.reported():
        # A report of abuse is read whoever left since.
        ended = letter.kind != REPORT and await judging.ended_before(pool, permit, written)
    return told._replace(why="another" if other else "ended" if ended else "")


def _state(told: _Told) -> str:
    if not told.why:
        return FILED
    return PROTECTED if told.letter and told.letter.kind == REPORT else CHECKING


async def _kept(house: House, carrier: Caller, phone: int, parcel: Parcel, told: _Told) -> Receipt:
    permit = told.permit
    keys = await house.vault.patient_keys(house.database, {told.patient})
    patient = told.patient if told.patient in keys else TERRITORY
    sent = Sent(
        parcel.visit,
        parcel.digest,
        permit.organization if permit else carrier.organization,
        patient,
        permit.account if permit else 0,
        carrier.account,
        phone,
        _state(told),
        told.why,
        sealed_content(keys.get(patient, house.vault.territory), parcel, told) if told.why else None,
        house.database.clock.now(),
    )
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await sent_visits.keep(connection, sent)
            if told.why:
                done = entry(
                    carrier,
                    Event.JOB,
                    request=Request("POST", "telephone/visites"),
                    detail={"act": Act.VISIT_WAITS, "waits": told.why},
                )
                await house.journal.record_within(connection, (done._replace(patient=patient),))
            kept = await sent_visits.known(connection, parcel.visit)
    return _receipt(next(one for one in kept if one.digest == parcel.digest))


def sealed_content(key: PatientKey, parcel: Parcel, told: _Told) -> bytes:
    """What a person will look at: what was told, or, where it could not be read, what came, to be opened by other means."""
    letter, permit = told.letter, told.permit
    content = {
        "kind": letter.kind if letter else VISIT,
        "form": {name: list(values) for name, values in letter.form.items()} if letter else {},
        "appointment": letter.appointment if letter else "",
        "corrects": str(letter.corrects or "") if letter else "",
        "asked": letter.asked if letter else "",
        "written": (told.written or letter.written).isoformat() if letter else "",
        "patient": letter.patient if letter else "",
        "aide": permit.aide if permit else {},
        "service": permit.service if permit else {},
        "parcel": "" if letter else parcel.sealed.hex(),
    }
    return key.seal(context_of(parcel.visit, parcel.digest), orjson.dumps(content))


def context_of(visit: UUID, digest: bytes) -> bytes:
    return context("sent visit", visit.bytes, digest)


def _receipt(one: Sent) -> Receipt:
    # Whatever a person decided about it since, the telephone may forget it: it has arrived.
    return Receipt(one.visit, one.digest, FILED if one.state in (FILED, PROTECTED) else CHECKING, one.received_at)
