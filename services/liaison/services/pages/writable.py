"""Whether the form of something is worth showing: whoever reads the page could write it in this record, by their rights of now."""

from starlette.requests import Request

from liaison.auth.access import standing
from liaison.auth.access.classes import Class
from liaison.auth.access.standing import Owners
from liaison.auth.caller import Caller
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults


async def writable(request: Request, caller: Caller, patient: str, class_: Class) -> bool:
    """Of this class, signed by themselves, about Patient/id. For showing a form or not: the engine decides of what is sent."""
    store = request.app.state.house.store
    key = store.key(*patient.split("/"))
    assert key is not None, "it was read"
    with faults.reported():
        async with store.database.reading.acquire() as connection:
            who = await standing.standing(connection, store.ids, caller.session, [key.patient])
            secret = (await store.vault.patient_keys(connection, [key.patient])).get(key.patient)
    if secret is None:
        raise NotFound
    own = Owners(author=Owners.of(secret, who.signature).author)
    return bool(who.may_write(key.patient, own) & secret.permute(int(class_)))
