"""What else an EHR launch is about (`fhirContext`), as the person reads it before they let the software know."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.reading.moments import said
from liaison.services.pages.reading.sentences import sentence
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name

_NAMED = frozenset({"Practitioner", "RelatedPerson"})


async def told(request: Request, caller: Caller, references: Iterable[str]) -> list[str]:
    """A line for each that the person sees: 'Poids : 71 kg, 20 nov. 2026'."""
    language = language_of(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    trees = [await record.read(one) for one in references]
    say = translations(language).gettext
    return [
        ", ".join(filter(None, (_called(tree) or sentence(tree, say), said(tree, language)))) for tree in trees if tree
    ]


def _called(tree: dict[str, Any]) -> str:
    """The name of somebody, or of some place or text of the directory; '' for what is told otherwise."""
    if tree["resourceType"] in _NAMED:
        return human_name(tree)
    name = tree.get("title") or tree.get("name")
    return name if isinstance(name, str) else ""
