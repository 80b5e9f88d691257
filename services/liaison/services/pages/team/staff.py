"""Writing the directory for a manager: a person and their role in her service, its suspension and its end.

By a named internal principal on her behalf, because the directory is an administrator's: what she may touch was decided
by `liaison.auth.people.managers`, and the journal shows that it was she.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.roles import profession_codes
from liaison.auth.caller import Caller
from liaison.auth.people import professions
from liaison.auth.people.managers import Person
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, reference

PARIS = ZoneInfo("Europe/Paris")


async def writer_for(request: Request, caller: Caller) -> Record:
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "people", caller=caller)
    return Record(house.engine, cell, address_of(request))


async def qualify(writer: Record, practitioner: str, stated: Iterable[str]) -> None:
    """Adds these professions to what the directory states of the person."""
    tree = await writer.read(practitioner)
    if tree is not None:
        tree["qualification"] = [*tree.get("qualification", ()), *qualifications(stated)]
        await writer.update(tree)


def qualifications(stated: Iterable[str]) -> list[dict[str, Any]]:
    codes = [profession_codes(one)[:1] for one in sorted(stated)]
    return [{"code": {"coding": [{"system": vocabulary.PROFESSION, "code": code}]}} for some in codes for code in some]


async def confirm_profession(request: Request, caller: Caller, person: Person) -> bool:
    """Somebody who may answers for the profession that this role awaits. False when it is another one that is known."""
    house = request.app.state.house
    with faults.reported():
        needed = await professions.of_the_replaced(house.database.reading, person.acts_for)
        try:
            if await professions.check(house.database.reading, person.practitioner, person.acts_for):
                return True
        except professions.OtherProfession:
            return False
    writer = await writer_for(request, caller)
    key = Key(0, kind_of("Practitioner"), person.practitioner)
    await qualify(writer, reference(Ids(house.vault.id_key), key), needed)
    await internal.close_session(house.database.writing, writer.caller)
    return True


async def authorisation_of(request: Request, caller: Caller, role: int) -> str:
    """The number of the authorisation under which this PractitionerRole stands; '' for none."""
    writer = await writer_for(request, caller)
    tree = await writer.read(
        reference(Ids(writer.engine.store.vault.id_key), Key(0, kind_of("PractitionerRole"), role))
    )
    await internal.close_session(request.app.state.house.database.writing, writer.caller)
    stated = (tree or {}).get("identifier") or ()
    return next((str(one.get("value", "")) for one in stated if one.get("system") == vocabulary.AUTHORISATION), "")


async def change_role(request: Request, caller: Caller, role: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Writes the PractitionerRole again with this change."""
    house = request.app.state.house
    writer = await writer_for(request, caller)
    tree = await writer.read(reference(Ids(house.vault.id_key), Key(0, kind_of("PractitionerRole"), role)))
    if tree is not None:
        change(tree)
        await writer.update(tree)
    await internal.close_session(house.database.writing, writer.caller)


def ended(day: date) -> Callable[[dict[str, Any]], None]:
    """On this day. One that has not begun ends on a day too."""
    today = day.isoformat()

    def change(tree: dict[str, Any]) -> None:
        period = tree.get("period", {})
        start = {"start": today} if str(period.get("start", "")) > today else {}
        tree["active"], tree["period"] = False, {**period, **start, "end": today}

    return change


def prolonged(until: date | None, authorisation: str) -> Callable[[dict[str, Any]], None]:
    """Until another day, or without one; with the number of a new authorisation, if there is one."""

    def change(tree: dict[str, Any]) -> None:
        period = {name: value for name, value in tree.get("period", {}).items() if name != "end"}
        tree["period"] = {**period, **({"end": until.isoformat()} if until else {})}
        if authorisation:
            others = [one for one in tree.get("identifier", ()) if one.get("system") != vocabulary.AUTHORISATION]
            tree["identifier"] = [*others, {"system": vocabulary.AUTHORISATION, "value": authorisation}]

    return change
