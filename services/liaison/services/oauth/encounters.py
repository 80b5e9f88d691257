"""Which encounter an authorization is about (SMART: launch/encounter): one of the chosen patient's that the person sees.

The engine decides which those are, both when the list is shown and when the choice comes back.
"""

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.auth.smart.launch import LaunchContext
from liaison.auth.smart.scopes import Scopes
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.reading.moments import said
from liaison.services.pages.reading.sentences import author, sentence
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of

MOST: Final = 10
"""How many the page of choice shows at once; earlier ones are found by a day."""
NONE: Final = "none"
"""What the form says for 'about no encounter': the visit of today is often not yet written down."""
SCOPE: Final = "launch/encounter"
_ERROR: Final = "entered-in-error"
_LAST: Final = date.max - timedelta(days=1)


class Visit(NamedTuple):
    """An encounter that may be put in context: FHIR id, what the person reads, and by whom it was."""

    id_: str
    text: str
    by: str


class Visits(NamedTuple):
    """At most MOST, the most recent first; `more` when there are earlier ones."""

    visits: list[Visit]
    more: bool


def needed(scopes: Scopes, context: LaunchContext) -> bool:
    """Whether one is asked for that no EHR launch has named."""
    return SCOPE in scopes.names and not context.encounter


async def choices(request: Request, caller: Caller, patient: str, until: date | None = None) -> Visits:
    """The patient's encounters that this person sees, those that began by the end of that day where one is given."""
    asked = {"patient": patient, "status:not": _ERROR, "_sort": "-date", "_count": str(MOST + 1)}
    if until is not None:
        # `le` would leave out one that began on that day and is not over (search on periods).
        asked["date"] = f"lt{(min(until, _LAST) + timedelta(days=1)).isoformat()}"
    found = await _record(request, caller).search("Encounter", asked, most=MOST + 1)
    return Visits([_visit(request, tree) for tree in found[:MOST]], len(found) > MOST)


async def named(request: Request, caller: Caller, patient: str, id_: str) -> Visit | None:
    """The encounter with this id; None when the engine does not show it, and when it is another patient's."""
    found = await _record(request, caller).read(f"Encounter/{id_}") if id_.isalnum() else None
    if found is None or found.get("status") == _ERROR:
        return None
    whose = str(found.get("subject", {}).get("reference", ""))
    return _visit(request, found) if whose.split("/")[-2:] == ["Patient", patient] else None


def _record(request: Request, caller: Caller) -> Record:
    return Record(request.app.state.house.engine, caller, address_of(request))


def _visit(request: Request, tree: dict[str, Any]) -> Visit:
    language = language_of(request)
    told = (said(tree, language), sentence(tree, translations(language).gettext))
    return Visit(tree["id"], ", ".join(filter(None, told)), author(tree))
