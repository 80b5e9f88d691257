"""Someone begins in a manager's structure: the person, unless the directory knows them, and their role there, once."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from starlette.requests import Request

from liaison.auth.access import internal, vocabulary
from liaison.auth.caller import Caller
from liaison.auth.people import managers, professions
from liaison.auth.people.managers import Person
from liaison.auth.people.pro_sante_connect.identity import RPPS
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.house import House
from liaison.services.pages.calendar_words import last_day_before
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import human_name, reference
from liaison.services.pages.team.newcomer import Newcomer
from liaison.services.pages.team.staff import PARIS, qualifications, qualify, writer_for


class Oneself(ValueError):
    """The number is the manager's own: nobody gives themselves a role."""


class HeldAlready(ValueError):
    """That person, or somebody of that name, is there already for some of these days, by `role`: `number` or name."""

    def __init__(self, role: int, *, by_name: bool) -> None:
        self.role, self.by_name = role, by_name
        super().__init__("They hold this role already.")


async def engage(request: Request, caller: Caller, newcomer: Newcomer, *, vouched: bool) -> tuple[Key, bool]:
    """A role in the manager's structure, for these days, and the person, unless the directory knows that number already. The
    key of the Practitioner, and whether the person is new. `vouched`: the manager answers for their profession. Nobody else
    adds anyone there meanwhile: of two touches of one button, the second finds what the first has made. Raises Oneself,
    HeldAlready, professions.OtherProfession."""
    house = request.app.state.house
    turn = house.store.lock_token_of("PractitionerRole", f"organization={caller.organization}")
    async with house.store.alone([turn]):
        writer = await writer_for(request, caller)
        try:
            return await _engage(house, writer, caller, newcomer, vouched=vouched)
        finally:
            await internal.close_session(house.database.writing, writer.caller)


async def _engage(
    house: House, writer: Record, caller: Caller, newcomer: Newcomer, *, vouched: bool
) -> tuple[Key, bool]:
    known = await _known(writer, newcomer.rpps) if newcomer.rpps else ""
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
    made = await writer.transact(_written(Ids(house.vault.id_key), caller, newcomer, known, stated))
    if key is None:
        key = house.store.key(*made[0].split("/", 1))
    assert isinstance(key, Key)
    return key, not known


async def _refuse_twice(house: House, writer: Record, caller: Caller, newcomer: Newcomer, practitioner: int) -> None:
    """Raises HeldAlready for a role in the same place whose days are some of these; who has no number is known by name."""
    with faults.reported():
        people = await managers.people_of(house.database.reading, caller, kind_of("Practitioner"))
    for one in people:
        same = (
            one.role_code == newcomer.role
            and one.acts_for == newcomer.acts_for
            and not has_ended(one, writer.now().date())
        )
        if same and _overlaps(one, newcomer):
            if practitioner and one.practitioner == practitioner:
                raise HeldAlready(one.role, by_name=False)
            if not newcomer.rpps and not newcomer.another and await _is_called(house, writer, one, newcomer.name):
                raise HeldAlready(one.role, by_name=True)


def has_ended(one: Person, today: date) -> bool:
    """Whether their last day has passed, or was ended today."""
    return one.over or (not (one.active or one.awaits) and last_day_before(one.ends) <= today)


def _overlaps(one: Person, newcomer: Newcomer) -> bool:
    ends = newcomer.until is None or one.starts.astimezone(PARIS).date() <= newcomer.until
    return ends and newcomer.since <= last_day_before(one.ends)


async def _is_called(house: House, writer: Record, one: Person, name: str) -> bool:
    key = Key(0, kind_of("Practitioner"), one.practitioner)
    found = human_name(await writer.read(reference(Ids(house.vault.id_key), key)))
    return found.casefold() == name.casefold()


async def _known(writer: Record, rpps: str) -> str:
    """The reference of the one active Practitioner with that number; '' for none."""
    found = await writer.search(
        "Practitioner", {"identifier": f"{RPPS}|{rpps}", "active": "true", "_count": "2"}, most=2
    )
    return f"Practitioner/{found[0]['id']}" if len(found) == 1 else ""


def _written(ids: Ids, caller: Caller, newcomer: Newcomer, known: str, stated: Iterable[str]) -> dict[str, Any]:
    organization = reference(ids, Key(0, kind_of("Organization"), caller.organization))
    end = {"end": newcomer.until.isoformat()} if newcomer.until else {}
    person: dict[str, Any] = {
        "resourceType": "Practitioner",
        "active": True,
        "name": [{"family": newcomer.family, "given": [newcomer.given]}],
    }
    if newcomer.rpps:
        person["identifier"] = [{"system": RPPS, "value": newcomer.rpps}]
    if stated:
        person["qualification"] = qualifications(stated)
    held: dict[str, Any] = {
        "resourceType": "PractitionerRole",
        "active": True,
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
