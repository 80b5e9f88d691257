"""Documents et notes: what was written about one person, newest first, with its words. What the dossier's page leaves out
because it is older than the last weeks is found here."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import codes
from liaison.services import visit_forms
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.clinician.news import told_once
from liaison.services.pages.clinician.place import Place
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import kinds, questionnaire
from liaison.services.pages.reading.concepts import Say, label
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.sentences import sentence
from liaison.services.pages.reading.written import text_of
from liaison.services.pages.writable import writable

Tree = dict[str, Any]

# Each with the parameter that says when it happened.
KINDS: Final = {
    "DocumentReference": "date",
    "Encounter": "date",
    "QuestionnaireResponse": "authored",
    "Communication": "sent",
    "DiagnosticReport": "date",
    "Procedure": "date",
}
A_PAGE: Final = 30
MOST_PAGES: Final = 20
"""What is further back is the software's to read; the page says so."""
LONGEST_NOTE: Final = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was written. `text` unfolds, so that the list stays one; `marks` say what is particular about who
    may read it; `other` is the type of an attachment that is no text."""

    tree: Tree
    text: str
    answers: list[tuple[str, str]]
    marks: list[str]
    masked: bool
    other: str


async def show(request: Request, place: Place, *, unsent: str | None = None) -> Response:
    """`unsent`: the words of a note that was not one; the page says what is wrong and keeps them."""
    asked = request.query_params.get("page", "1")
    number = max(1, min(int(asked), MOST_PAGES)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    patient = await patient_or_404(place.record, place.id)
    mine, wanted = {"patient": f"Patient/{place.id}"}, number * A_PAGE + 1
    consents, *lists = await asyncio.gather(
        found(place.record, "Consent", {**mine, "_count": "100"}, 300),
        *(
            found(place.record, type_, {**mine, "_sort": f"-{date}", "_count": "100"}, wanted)
            for type_, date in KINDS.items()
        ),
    )
    trees = [tree for trees in lists for tree in trees]
    known = told_once(trees, await visit_forms.of_all(request.app.state.house.database, trees))
    masks = set(_masked(consents))
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "clinician/history.html",
        status=200 if unsent is None else 400,
        unsent=unsent,
        longest=LONGEST_NOTE,
        may_note=place.writes
        and place.me.role_code not in ("patient", "guardian")
        and await writable(request, place.record.caller, f"Patient/{place.id}", Class.COORD),
        place=place,
        patient=patient,
        who=identity(patient),
        today=place.record.now().date(),
        written=[_entry(tree, masks, gettext) for tree in known[(number - 1) * A_PAGE : number * A_PAGE]],
        may_mask=place.writes and await writable(request, place.record.caller, f"Patient/{place.id}", Class.MASKED),
        number=number,
        older=number + 1 if len(known) > number * A_PAGE and number < MOST_PAGES else 0,
        cut=number == MOST_PAGES and len(known) > number * A_PAGE,
    )


def _entry(tree: Tree, masks: set[str], gettext: Say) -> Entry:
    words = text_of(tree)
    title = sentence(tree, gettext)
    types = [str(one.get("attachment", {}).get("contentType", "")) for one in tree.get("content", [])]
    security = (tree.get("meta") or {}).get("security", [])
    return Entry(
        tree,
        words if not title.startswith(words) else "",
        questionnaire.answers(tree, gettext) if kinds.kind(tree) == kinds.QUESTIONNAIRE else [],
        [label(one) for one in security if label(one)],
        f"{tree['resourceType']}/{tree['id']}" in masks,
        next((one for one in types if one and not one.startswith("text/")), "") if not words else "",
    )


def _masked(consents: list[Tree]) -> Iterator[str]:
    """What a masking in force names: only who may read the item sees it here, and that the others do not."""
    for tree in consents:
        if tree.get("status") == "active" and "masking" in codes(tree.get("category"), vocabulary.CONSENT):
            for one in (tree.get("provision") or {}).get("data", []):
                yield str((one.get("reference") or {}).get("reference", ""))
