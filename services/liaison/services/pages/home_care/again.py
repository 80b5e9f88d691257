"""A visit whose number the record knows already: corrected by its author, or shown beside what was typed.

Nothing is half done and nothing typed is lost: either the whole visit says what was typed, or nothing of it changed and
what was typed can be sent as a word of its own.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from liaison.fhir.errors import NotFound
from liaison.protocols.amending import Obstacle, Recorded, amendment, answers_of, by_part, obstacle, same_answers
from liaison.protocols.answers import Item
from liaison.protocols.filing import SYSTEM, part
from liaison.protocols.visit import Visit, addition
from liaison.services import visit_forms
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.home_care import comparing
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.written import text_of
from liaison.services.pages.record import Record, Refused

Tree = dict[str, Any]


_PARTS: Final = ("QuestionnaireResponse", "Observation", "DocumentReference", "Task")
ADDED_TO: Final = "visit-added-to"
"""The field of a form that adds a word to a recorded visit: its Encounter."""
_NOT_KEPT: Final = frozenset({"csrf", "visit", "another", ADDED_TO})
_REASONS: Final = {
    Obstacle.AUTHOR: _("C'est une autre personne qui l'a enregistrée."),
    Obstacle.LATE: _("Elle est enregistrée depuis plus de 24 heures."),
    Obstacle.SEEN: _("L'alerte a déjà été vue."),
    Obstacle.CHANGED: _("Quelqu'un l'a changée entre-temps."),
}


async def known(record: Record, form: FormData, number: UUID | None) -> Recorded | None:
    """The recorded visit that a form is about: that of its number, or the one to which it adds a word."""
    if added_to := str(form.get(ADDED_TO, "")):
        encounter = await record.read(f"Encounter/{added_to}")
        number = number_of(encounter) if encounter is not None else None
        if number is None:
            raise NotFound
    return await recorded(record, number) if number is not None else None


async def amend(record: Record, made: Visit, kept: Recorded, at: datetime | None = None) -> Obstacle | None:
    """Makes what is recorded say what was typed, all of it or nothing; why not, if not. `at`: when it was typed, where that was
    not now."""
    why = obstacle(kept.library, kept, made.aide, at or made.recorded)
    if why is Obstacle.AUTHOR:
        return why
    if holds(kept, made):
        return None
    if why is not None:
        return why
    try:
        await record.transact(amendment(kept.library, made, kept))
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
        return Obstacle.CHANGED
    return None


async def recorded(record: Record, number: UUID) -> Recorded | None:
    """The visit of this number, as far as the caller sees it."""
    encounters = await found(record, "Encounter", {"identifier": f"{SYSTEM}|{number}#encounter", "_count": "1"}, 1)
    if not encounters:
        return None
    [encounter] = encounters
    of_it = {"encounter": f"Encounter/{encounter['id']}", "_count": "100"}
    first, others = await asyncio.gather(
        record.version(encounter, 1),
        asyncio.gather(*(found(record, one, of_it, 200) for one in _PARTS)),
    )
    trees = [encounter, *(tree for trees in others for tree in trees)]
    # Without its first version nobody knows how old it is: then it is too old.
    since = moments.written(first) if first is not None else datetime.min.replace(tzinfo=UTC)
    return await _with_its_form(record, Recorded(by_part(number, trees), since))


async def is_held(record: Record, made: Visit) -> bool:
    """Whether the record has every answer of this visit, and no other: asked of its Encounter and its form alone, since hundreds of
    telephones ask it in one evening."""
    encounters, responses = await asyncio.gather(
        found(record, "Encounter", {"identifier": f"{SYSTEM}|{made.id}#encounter", "_count": "1"}, 1),
        found(record, "QuestionnaireResponse", {"identifier": f"{SYSTEM}|{made.id}#response", "_count": "1"}, 1),
    )
    parts = by_part(made.id, [*encounters, *responses])
    if "encounter" not in parts:
        return False
    return holds(await _with_its_form(record, Recorded(parts, datetime.min.replace(tzinfo=UTC))), made)


async def _with_its_form(record: Record, kept: Recorded) -> Recorded:
    """The version that was filled in, whatever is in force since."""
    address = (kept.response or {}).get("questionnaire", "")
    return replace(kept, library=await visit_forms.known(record.engine.store.database, [address]))


def holds(kept: Recorded | None, made: Visit) -> bool:
    """Whether the record has every answer of this visit, and no other."""
    return (
        kept is not None
        and kept.response is not None
        and kept.encounter.get("subject", {}).get("reference") == made.patient
        and same_answers(answers_of(kept.library, kept.response), made.answers)
    )


def beside(
    request: Request, patient: Tree, form: FormData, kept: Recorded, typed: list[Tree], why: Obstacle
) -> Response:
    """What is recorded and what was typed, side by side, and the way to send the latter as a word of its own."""
    gettext = translations(language_of(request)).gettext
    response = kept.response
    return render(
        request,
        "home_care/already.html",
        status=409,
        patient=patient,
        who=identity(patient),
        encounter=kept.encounter,
        reason=gettext(_REASONS[why]),
        seen=response is not None,
        rows=comparing.rows((response or {}).get("item", []), typed, gettext),
        fields=[(name, str(value)) for name, value in form.multi_items() if name not in _NOT_KEPT],
        visit_id=str(uuid4()),
        added_to=ADDED_TO,
    )


async def add(record: Record, made: Visit, kept: Recorded, questions: list[Item]) -> str:
    """Files the word; gives the id of the note, or '' when the record does not hold these words afterwards."""
    encounter = f"Encounter/{kept.encounter['id']}"
    before = (kept.response or {}).get("item", [])
    compared = comparing.rows(before, comparing.as_items(questions, made.answers))
    start = moments.happened(kept.encounter)
    about = f"À propos de la visite{start.strftime(' du %d/%m/%Y à %H:%M') if start else ''}."
    words = "\n".join([about, *comparing.lines(compared)])
    told = answers_of(kept.library, kept.response) if kept.response is not None else {}
    try:
        note = (await record.transact(addition(kept.library, made, encounter, words, told)))[0]
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
        return ""
    held = await record.read(note)
    return note.partition("/")[2] if held is not None and text_of(held) == words else ""


def number_of(encounter: Tree) -> UUID | None:
    """The number that a visit was filed under."""
    try:
        return UUID(part(encounter)[0])
    except ValueError:
        return None
