"""Writing the directory for a manager: a person and their role in her service, its suspension and its end.

By a named internal principal on her behalf, because the directory is an administrator's: what she may touch was decided
by `liaison.auth.people.managers`, and the journal shows that it was she.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from liaison.auth.access import internal, vocabulary
from liaison.auth.caller import Caller
from liaison.auth.people.pro_sante_connect.identity import RPPS
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.house import House
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, reference

PARIS = ZoneInfo("Europe/Paris")


async def _writer(request: Request, caller: Caller) -> Record:
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "people", caller=caller)
    return Record(house.engine, cell, address_of(request))


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who begins in the manager's structure. `rpps`: their national number, '' where the role has none; `acts_for`: the
    res of the PractitionerRole in whose place, or under whom, they work."""

    family: str
    given: str
    role: str
    rpps: str = ""
    until: date | None = None
    acts_for: int = 0
    authorisation: str = ""


class Oneself(ValueError):
    """The number is the manager's own: nobody gives themselves a role."""


class HeldAlready(ValueError):
    """That person has this role in the structure already."""


async def engage(request: Request, caller: Caller, newcomer: Newcomer) -> tuple[Key, bool]:
    """A role in the manager's structure, from today, and the person, unless the directory knows that number already. The
    key of the Practitioner, and whether the person is new. Raises Oneself, HeldAlready."""
    house = request.app.state.house
    ids = Ids(house.vault.id_key)
    writer = await _writer(request, caller)
    try:
        known = await _known(writer, newcomer.rpps) if newcomer.rpps else ""
        key = house.store.key(*known.split("/", 1)) if known else None
        if key is not None:
            if key.res == caller.practitioner:
                raise Oneself
            if await _holds(house, caller, key.res, newcomer.role):
                raise HeldAlready
        made = await writer.transact(_written(ids, caller, newcomer, known))
    finally:
        await internal.close_session(house.database.writing, writer.caller)
    if key is None:
        key = house.store.key(*made[0].split("/", 1))
    assert isinstance(key, Key)
    return key, not known


async def _known(writer: Record, rpps: str) -> str:
    """The reference of the one active Practitioner with that number; '' for none."""
    found = await writer.search(
        "Practitioner", {"identifier": f"{RPPS}|{rpps}", "active": "true", "_count": "2"}, most=2
    )
    return f"Practitioner/{found[0]['id']}" if len(found) == 1 else ""


async def _holds(house: House, caller: Caller, practitioner: int, role: str) -> bool:
    with faults.reported():
        return bool(
            await house.database.reading.fetchval(
                "select exists (select from held_role where practitioner = $1 and organization = $2 and role_code = $3"
                " and active and valid_to > now())",
                practitioner,
                caller.organization,
                role,
            )
        )


def _written(ids: Ids, caller: Caller, newcomer: Newcomer, known: str) -> dict[str, Any]:
    organization = reference(ids, Key(0, kind_of("Organization"), caller.organization))
    end = {"end": newcomer.until.isoformat()} if newcomer.until else {}
    person: dict[str, Any] = {
        "resourceType": "Practitioner",
        "active": True,
        "name": [{"family": newcomer.family, "given": [newcomer.given]}],
    }
    if newcomer.rpps:
        person["identifier"] = [{"system": RPPS, "value": newcomer.rpps}]
    held: dict[str, Any] = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": known or "urn:uuid:person"},
        "organization": {"reference": organization},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": newcomer.role}]}],
        "period": {"start": datetime.now(PARIS).date().isoformat(), **end},
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


async def change_role(request: Request, caller: Caller, role: int, **changes: Any) -> None:
    """Writes the PractitionerRole again with these changes: `active`, or `until` for its end."""
    house = request.app.state.house
    writer = await _writer(request, caller)
    tree = await writer.read(reference(Ids(house.vault.id_key), Key(0, kind_of("PractitionerRole"), role)))
    if tree is not None:
        if "active" in changes:
            tree["active"] = changes["active"]
        if "until" in changes:
            tree["period"] = {**tree.get("period", {}), "end": changes["until"]}
        await writer.update(tree)
    await internal.close_session(house.database.writing, writer.caller)
