"""One plain French sentence for each kind of resource, for lists of what changed. No judgement, no code shown raw."""

from collections.abc import Callable
from typing import Any, Final

from liaison.services.pages.reading import (
    acts,
    allergies,
    appointments,
    conditions,
    encounters,
    goals,
    home_visit,
    kinds,
    measures,
    medicines,
    orders,
    rows,
    vaccines,
    values,
    written,
)
from liaison.services.pages.reading.concepts import Say, label, labels
from liaison.services.pages.reading.punctuation import colon

Tree = dict[str, Any]


def sentence(tree: Tree, say: Say = str) -> str:
    """What the resource says, in a line, and all that qualifies it. Where nothing can be said, the kind alone."""
    return rows.framed(tree, _said(tree, say) or say(kinds.kind(tree)), say)


_LINES: Final[dict[str, Callable[[Tree, Say], str]]] = {
    "Observation": lambda tree, say: colon(say, measures.name(tree, say), measures.whole(tree, say)),
    "MedicationRequest": medicines.told,
    "MedicationStatement": medicines.told,
    "AllergyIntolerance": allergies.told,
    "Condition": conditions.told,
    "Immunization": vaccines.told,
    "Encounter": encounters.told,
    "Procedure": acts.told,
    "ServiceRequest": orders.told,
    "DocumentReference": written.document,
    "DiagnosticReport": written.report,
    "Communication": written.message,
    "Appointment": appointments.told,
    "Goal": goals.told,
}


def _said(tree: Tree, say: Say) -> str:
    if line := _LINES.get(tree["resourceType"]):
        return line(tree, say)
    match tree["resourceType"]:
        case "Task":
            return str(tree.get("description") or label(tree.get("code")))
        case "CarePlan":
            return _dated(str(tree.get("title") or next(iter(labels(tree.get("category"))), "")), tree, say)
        case "Flag":
            return _dated(label(tree.get("code")), tree, say)
        case "QuestionnaireResponse":
            if home_visit.is_one(tree):
                return home_visit.told(tree, say)
            return ", ".join(text for item in tree.get("item", []) if (text := str(item.get("text", ""))))
        case "Consent":
            return ", ".join(labels(tree.get("category")))
    return label(tree.get("code"))


def _dated(said: str, tree: Tree, say: Say) -> str:
    """With the dates between which it holds: R4 lets it stay active past its end."""
    period = values.period(tree.get("period"), say)
    return f"{said} ({period})" if said and period else said or period


def author(tree: Tree) -> str:
    """Who wrote it, by the display of the first reference that says so; '' where none does."""
    for name in ("author", "performer", "recorder", "requester", "asserter", "sender", "source", "informant"):
        found = tree.get(name)
        if isinstance(found, list):
            found = found[0] if found else None
        if isinstance(found, dict):
            reference = found.get("actor", found)
            if reference.get("display"):
                return str(reference["display"])
    for participant in tree.get("participant", []):
        if isinstance(participant, dict) and participant.get("individual", {}).get("display"):
            return str(participant["individual"]["display"])
    return ""
