"""To whom a step may be given: the members of the team, there today, who read it by the rights that they have anyway.

To be named gives nobody a right to more: who reads the step only because it would be theirs is not offered.
"""

from typing import Any

from liaison.auth.access.classes import Class
from liaison.auth.access.readers import readers_of
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.protocols.team import members
from liaison.services.members import with_functions
from liaison.services.pages.clinician.teams import NAMELESS
from liaison.services.pages.record import Record

Tree = dict[str, Any]


async def choices(record: Record, task: Tree) -> list[Tree]:
    """References to them, each once and with a name, in the order of the team. Nobody for a step that is not there any more."""
    store = record.engine.store
    key = store.key("Task", str(task["id"]))
    seen = await store.read(record.caller, key) if key is not None else None
    if key is None or seen is None:
        return []
    with faults.reported():
        secret = (await store.vault.patient_keys(store.database.reading, {key.patient})).get(key.patient)
        if secret is None:
            return []
        classes = Class(secret.unpermute(seen.row.classes))
        found = await readers_of(store.database.reading, store.vault, key.patient, classes)
    reading = {store.reference(Key(0, kind_of("PractitionerRole"), one.principal)) for one in found if one.role_code}
    query = {"patient": str(task["for"]["reference"]), "status": "active", "_count": "50"}
    teams = await with_functions(record, await record.found("CareTeam", query, most=50))
    there = {str(one["member"].get("reference")): one["member"] for one in members(teams, record.now().date())}
    return [{"display": NAMELESS, **there[reference]} for reference in there if reference in reading]
