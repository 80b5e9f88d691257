"""Writing the directory for a manager: a person and their role in her service, its suspension and its end.

By a named internal principal on her behalf, because the directory is an administrator's: what she may touch was decided
by `liaison.auth.people.managers`, and the journal shows that it was she.
"""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from liaison.auth.access import internal, vocabulary
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, reference

PARIS = ZoneInfo("Europe/Paris")


async def _writer(request: Request, caller: Caller) -> Record:
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "people", caller=caller)
    return Record(house.engine, cell, address_of(request))


async def engage(request: Request, caller: Caller, family: str, given: str, role: str, until: date | None) -> Key:
    """A new person with one role in the manager's service, from today. The key of the Practitioner."""
    house = request.app.state.house
    ids = Ids(house.vault.id_key)
    organization = reference(ids, Key(0, kind_of("Organization"), caller.organization))
    period = {"start": datetime.now(PARIS).date().isoformat(), **({"end": until.isoformat()} if until else {})}
    person = {"resourceType": "Practitioner", "active": True, "name": [{"family": family, "given": [given]}]}
    held = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": "urn:uuid:person"},
        "organization": {"reference": organization},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": role}]}],
        "period": period,
    }
    entries = [
        {
            "fullUrl": f"urn:uuid:{name}",
            "resource": tree,
            "request": {"method": "POST", "url": tree["resourceType"]},
        }
        for name, tree in (("person", person), ("role", held))
    ]
    writer = await _writer(request, caller)
    made = await writer.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    await internal.close_session(house.database.writing, writer.caller)
    key = house.store.key(*made[0].split("/", 1))
    assert isinstance(key, Key)
    return key


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
