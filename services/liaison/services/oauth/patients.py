"""Which patient an authorization is about (SMART: a patient/ scope needs one in context).

Patients and those who represent them have theirs by who they are; a professional picks among the patients they may see.
The engine decides who that is, both when the list is shown and when the choice comes back.
"""

from typing import NamedTuple

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.auth.people.browsers import Browser
from liaison.fhir.definitions import type_of
from liaison.fhir.store.ids import Ids
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, reference

MOST = 200


class Choice(NamedTuple):
    """A patient who may be put in context: FHIR id, and what the person reads."""

    id_: str
    text: str


def _record(request: Request, caller: Caller) -> Record:
    return Record(request.app.state.house.engine, caller, address_of(request))


async def choices(request: Request, browser: Browser) -> list[Choice]:
    """The patients whom this person could choose; at most MOST, by name."""
    record = _record(request, browser.caller)
    own = type_of(browser.account.person.kind)
    if own == "Practitioner":
        found = await record.search("Patient", {"_sort": "family"}, most=MOST)
    else:
        patient = await record.read(await _own(request, record, browser))
        found = [patient] if patient else []
    return [Choice(tree["id"], _text(tree)) for tree in found]


async def _own(request: Request, record: Record, browser: Browser) -> str:
    own = reference(Ids(request.app.state.house.vault.id_key), browser.account.person)
    if own.startswith("Patient/"):
        return own
    related = await record.read(own) or {}
    return str((related.get("patient") or {}).get("reference", "Patient/none"))


def _text(patient: dict[str, object]) -> str:
    # Birth date beside the name, always: two people of one name live in every territory.
    return f"{human_name(patient)}, {patient.get('birthDate', '?')}"


async def number_of(request: Request, caller: Caller, id_: str) -> int:
    """The patient's number, once the engine has shown this caller the patient; 0 when it does not."""
    if not id_.isalnum() or await _record(request, caller).read(f"Patient/{id_}") is None:
        return 0
    key = Ids(request.app.state.house.vault.id_key).decode("Patient", id_)
    return key.patient if key else 0
