"""Someone begins in a manager's structure: the person, unless the directory knows them, and their role there, once."""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from starlette.requests import Request

from liaison.auth.access import internal, vocabulary
from liaison.auth.caller import Caller
from liaison.auth.people import managers, namesakes, professions
from liaison.auth.people.managers import Person
from liaison.auth.people.pro_sante_connect.identity import RPPS
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.house import House
from liaison.services.pages.calendar_words import last_day_before
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import reference
from liaison.services.pages.team import knowing
from liaison.services.pages.team.newcomer import ANOTHER, Newcomer
from liaison.services.pages.team.staff import PARIS, qualifications, qualify, writer_for


class Oneself(ValueError):
    """The newcomer is the manager, by number or by name: nobody gives themselves a role."""


class HeldAlready(ValueError):
    """That person is there already for some of these days, by `role`."""

    def __init__(self, role: int) -> None:
        self.role = role
        super().__init__("They hold this role already.")


class Engaged(NamedTuple):
    """The key of the Practitioner. `new`: the directory did not know them. `unsure`: whether they are somebody else than one
    whom it knows is for an administrator to find out, and opens nothing before."""

    person: Key
    new: bool
    unsure: bool


async def engage(request: Request, caller: Caller, newcomer: Newcomer, *, vouched: bool) -> Engaged:
    """A role in the manager's structure, for these days, and the person, unless the directory knows them already. `vouched`:
    the manager answers for their profession. Nobody else adds anyone meanwhile, here or in another structure: of two
    touches of one button, the second finds what the first has made. Raises NotComplete, Oneself, HeldAlready,
    knowing.Namesakes, knowing.OtherName, professions.OtherProfession."""
    house = request.app.state.house
    async with house.store.alone([house.store.lock_token_of("PractitionerRole", "engaging")]):
        writer = await writer_for(request, caller)
        try:
            return await _engage(house, writer, caller, newcomer, vouched=vouched)
        finally:
            await internal.close_session(house.database.writing, writer.caller)


async def _engage(house: House, writer: Record, caller: Caller, newcomer: Newcomer, *, vouched: bool) -> Engaged:
    tree = await knowing.known_as(writer, newcomer)
    known = f"Practitioner/{tree['id']}" if tree else ""
    key = house.store.key(*known.split("/", 1)) if known else None
    if key is not None and key.res == caller.practitioner:
        raise Oneself
    await _refuse_twice(house, writer, caller, newcomer, key.res if key else 0)
    stated: frozenset[str] = frozenset()
    if newcomer.acts_for and newcomer.role in professions.IN_PLACE:
        with faults.reported():
            needed = await professions.of_the_replaced(house.database.reading, newcomer.acts_for)
            fits = await professions.check(house.database.reading, key.res if key else 0, newcomer.acts_for)
        stated = needed if vouched and not fits else frozenset()
    elif key is not None:
        with faults.reported():
            await professions.check_own(house.database.reading, key.res, newcomer.role)
    if known and stated:
        await qualify(writer, known, stated)
    unsure = key is None and newcomer.who == ANOTHER
    made = await writer.transact(_written(Ids(house.vault.id_key), caller, newcomer, known, stated, active=not unsure))
    if key is None:
        key = house.store.key(*made[0].split("/", 1))
    assert isinstance(key, Key)
    return Engaged(key, not known, unsure)


async def _refuse_twice(house: House, writer: Record, caller: Caller, newcomer: Newcomer, practitioner: int) -> None:
    """Raises HeldAlready for a role in the same place whose days are some of these."""
    with faults.reported():
        people = await managers.people_of(house.database.reading, caller, kind_of("Practitioner"))
    for one in people:
        same = (one.practitioner, one.role_code, one.acts_for) == (practitioner, newcomer.role, newcomer.acts_for)
        if same and not has_ended(one, writer.now().date()) and _overlaps(one, newcomer):
            raise HeldAlready(one.role)


def has_ended(one: Person, today: date) -> bool:
    """Whether their last day has passed, or was ended today."""
    return one.over or (not (one.active or one.awaits) and last_day_before(one.ends) <= today)


def _overlaps(one: Person, newcomer: Newcomer) -> bool:
    ends = newcomer.until is None or one.starts.astimezone(PARIS).date() <= newcomer.until
    return ends and newcomer.since <= last_day_before(one.ends)


def _written(
    ids: Ids, caller: Caller, newcomer: Newcomer, known: str, stated: Iterable[str], *, active: bool
) -> dict[str, Any]:
    """Not `active`: the person, and the role, wait for an administrator."""
    organization = reference(ids, Key(0, kind_of("Organization"), caller.organization))
    end = {"end": newcomer.until.isoformat()} if newcomer.until else {}
    person: dict[str, Any] = {
        "resourceType": "Practitioner",
        "active": active,
        **({} if active else {"meta": {"tag": [namesakes.TAG]}}),
        "name": [{"family": newcomer.family, "given": [newcomer.given]}],
    }
    if newcomer.rpps:
        person["identifier"] = [{"system": RPPS, "value": newcomer.rpps}]
    if stated:
        person["qualification"] = qualifications(stated)
    held: dict[str, Any] = {
        "resourceType": "PractitionerRole",
        "active": active,
        "practitioner": {"reference": known or "urn:uuid:person"},
        "organization": {"reference": organization},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": newcomer.role}]}],
        "period": {"start": newcomer.since.isoformat(), **end},
    }
    if newcomer.authorisation:
        held["identifier"] = [{"system": vocabulary.AUTHORISATION, "value": newcomer.authorisation}]
    if newcomer.acts_for:
        answers = reference(ids, Key(0, kind_of("PractitionerRole"), newcomer.acts_for))
        held["extension"] = [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": answers}}]
    trees = {"role": held} if known else {"person": person, "role": held}
    entries = [
        {"fullUrl": f"urn:uuid:{name}", "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        for name, tree in trees.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
