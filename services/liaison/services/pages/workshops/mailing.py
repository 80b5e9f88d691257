"""The convocations of one session by ordinary e-mail, sent by the service: to whom, and what became of each."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.store import contract, faults
from liaison.fhir.store.contract import Key
from liaison.protocols.workshops import Session
from liaison.services.house import House
from liaison.services.messages import convoking
from liaison.services.messages.convoking import CHANNEL, Convoked
from liaison.services.messages.outbox import GIVEN_UP
from liaison.services.pages.workshops.lists import Listed


def sends(house: House) -> bool:
    """Whether this installation sends ordinary e-mail; where it does not, the reader's own software writes."""
    return CHANNEL in house.carriers.channels


async def became(house: House, listed: Sequence[Listed], session: Session) -> Mapping[str, Convoked]:
    """By the id of the appointment, of those who were written to for this hour."""
    with faults.reported():
        found = await convoking.became(house.database.reading, _keys(house, listed), session.start)
    return {house.store.id(key): one for key, one in found.items()}


def to_write_to(listed: Sequence[Listed], became: Mapping[str, Convoked]) -> list[Listed]:
    """Who comes, has a mailbox, and was not written to yet or not reached."""
    return [
        one
        for one in listed
        if one.comes and one.mailbox and ((told := became.get(one.appointment["id"])) is None or told.state in GIVEN_UP)
    ]


async def convoke(request: Request, caller: Caller, listed: Sequence[Listed], session: Session) -> int:
    """How many are written to; each once, whoever asks and however often."""
    house: House = request.app.state.house
    people = to_write_to(listed, await became(house, listed, session))
    keys = _keys(house, people)
    asked = contract.Request("POST", f"Slot/{session.id}")
    detail = {"act": Act.CONVOCATION, "channel": CHANNEL}
    entries = tuple(entry(caller, Event.JOB, patient=one.patient, request=asked, detail=detail) for one in keys)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await convoking.put_down(connection, keys, session.start)
            await house.journal.record_within(connection, entries)
    return len(people)


async def call_off(house: House, listed: Sequence[Listed], session: Session) -> None:
    """That it will not be held, to whom a convocation was sent. What the appointment says when it leaves is what counts: put down before
    the session is cancelled it is not lost, and put down once more after, it is not taken for one of a session that is held."""
    told = await became(house, listed, session)
    written = [
        one for one in listed if (state := told.get(one.appointment["id"])) is not None and state.state == "sent"
    ]
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await convoking.put_down(connection, _keys(house, written), session.end)


def _keys(house: House, listed: Sequence[Listed]) -> list[Key]:
    found = (house.store.key("Appointment", str(one.appointment["id"])) for one in listed)
    return [one for one in found if one is not None]
