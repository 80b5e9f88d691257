"""Which patient an authorization is about (SMART: a patient/ scope needs one in context).

Patients and those who represent them have theirs by who they are; a professional picks among the patients they may see.
The engine decides who that is, both when the list is shown and when the choice comes back.
"""

from collections.abc import Iterable
from typing import NamedTuple

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.auth.people.browsers import Browser
from liaison.fhir.definitions import type_of
from liaison.fhir.store.ids import Ids
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.reading import deaths, moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, reference

MOST = 10
"""How many the page of choice shows at once; whoever has more types a part of the name."""


class Choice(NamedTuple):
    """A patient who may be put in context: FHIR id, and what the person reads."""

    id_: str
    text: str


def _record(request: Request, caller: Caller) -> Record:
    return Record(request.app.state.house.engine, caller, address_of(request))


class Choices(NamedTuple):
    """At most MOST of those who may be chosen, by name; `more` when there are others."""

    patients: list[Choice]
    more: bool


async def choices(request: Request, browser: Browser, name: str = "") -> Choices:
    """The patients whom this person could choose, those with `name` in their name where it is given."""
    record = _record(request, browser.caller)
    own = type_of(browser.account.person.kind)
    if own == "Practitioner":
        asked = {"_sort": "family", "_count": str(MOST + 1), **({"name:contains": name} if name else {})}
        found = await record.search("Patient", asked, most=MOST + 1)
    else:
        patient = await record.read(await _own(request, record, browser))
        found = [patient] if patient else []
    return Choices([Choice(tree["id"], _text(request, tree)) for tree in found[:MOST]], len(found) > MOST)


async def named(request: Request, caller: Caller, id_: str) -> Choice | None:
    """The patient with this id as the person reads it; None when the engine does not show them."""
    found = await _record(request, caller).read(f"Patient/{id_}") if id_.isalnum() else None
    return None if found is None else Choice(id_, _text(request, found))


async def all_visible(request: Request, caller: Caller, references: Iterable[str]) -> bool:
    """Whether the person sees each of these resources."""
    record = _record(request, caller)
    return all([await record.read(one) is not None for one in references])


async def _own(request: Request, record: Record, browser: Browser) -> str:
    own = reference(Ids(request.app.state.house.vault.id_key), browser.account.person)
    if own.startswith("Patient/"):
        return own
    related = await record.read(own) or {}
    return str((related.get("patient") or {}).get("reference", "Patient/none"))


def _text(request: Request, patient: dict[str, object]) -> str:
    # Birth date beside the name, always: two people of one name live in every territory.
    who = identity(patient)
    language = language_of(request)
    died = deaths.told(who, language, translations(language).gettext)
    return f"{who.full}, {moments.day(who.born, language) or '?'}{f' ({died})' if died else ''}"


async def number_of(request: Request, caller: Caller, id_: str) -> int:
    """The patient's number, once the engine has shown this caller the patient; 0 when it does not."""
    if not id_.isalnum() or await _record(request, caller).read(f"Patient/{id_}") is None:
        return 0
    key = Ids(request.app.state.house.vault.id_key).decode("Patient", id_)
    return key.patient if key else 0
