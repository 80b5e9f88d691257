"""One plain French sentence for each kind of resource, for lists of what changed. No judgement, no code shown raw."""

import base64
from typing import Any, Final

from liaison.services.pages.reading import (
    allergies,
    conditions,
    home_visit,
    kinds,
    measures,
    medicines,
    orders,
    rows,
    vaccines,
    values,
)
from liaison.services.pages.reading.concepts import Say, codes, label, labels

Tree = dict[str, Any]


_ONE_LINE: Final = 160
"""Characters of a note that are still its own title; a longer one unfolds under the words of its type."""


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


# http://terminology.hl7.org/CodeSystem/v3-ActCode, the part that R4 recommends.
_SETTINGS: Final = {
    "EMER": _("Urgences"),
    "HH": _("Au domicile"),
    "IMP": _("Hospitalisation"),
    "ACUTE": _("Hospitalisation"),
    "NONAC": _("Hospitalisation"),
    "OBSENC": _("Mise en observation"),
    "PRENC": _("Avant une hospitalisation"),
    "SS": _("Hospitalisation de jour"),
    "VR": _("À distance"),
}


def text_of(tree: Tree) -> str:
    """The words that someone wrote: a note's attachment, a report's form, a message's payload."""
    attachments = [content.get("attachment", {}) for content in tree.get("content", [])]
    for attachment in [*attachments, *tree.get("presentedForm", [])]:
        if str(attachment.get("contentType", "")).startswith("text/") and "data" in attachment:
            try:
                return base64.b64decode(attachment["data"]).decode("utf-8", "replace")
            except ValueError:  # binascii.Error is one; so is what is not ASCII
                return ""
    for payload in tree.get("payload", []):
        if payload.get("contentString"):
            return str(payload["contentString"])
    return ""


def sentence(tree: Tree, say: Say = str) -> str:
    """What the resource says, in a line, and all that qualifies it. Where nothing can be said, the kind alone."""
    return rows.framed(tree, _said(tree, say) or say(kinds.kind(tree)), say)


def _said(tree: Tree, say: Say) -> str:
    match tree["resourceType"]:
        case "Observation":
            return f"{measures.name(tree, say)} : {measures.whole(tree, say)}".strip(" :")
        case "MedicationRequest" | "MedicationStatement":
            return medicines.told(tree, say)
        case "AllergyIntolerance":
            return allergies.told(tree, say)
        case "Encounter":
            reasons = labels([*tree.get("reasonCode", []), *tree.get("type", [])])
            return ", ".join([*filter(None, [_setting(tree.get("class"), say)]), *reasons[:1]])
        case "DocumentReference":
            words = text_of(tree)
            said = str(tree.get("description") or (words if len(words) <= _ONE_LINE else "") or label(tree.get("type")))
            return said or words[:_ONE_LINE]
        case "DiagnosticReport":
            return ", ".join(filter(None, (label(tree.get("code")), str(tree.get("conclusion", "")))))
        case "Communication":
            return text_of(tree) or next(iter(labels(tree.get("category"))), "")
        case "Task":
            return str(tree.get("description") or label(tree.get("code")))
        case "ServiceRequest":
            return orders.told(tree, say)
        case "CarePlan":
            return str(tree.get("title") or next(iter(labels(tree.get("category"))), ""))
        case "Goal":
            return ", ".join(
                filter(None, (label(tree.get("description")), label(tree.get("achievementStatus")).lower()))
            )
        case "Appointment":
            return str(tree.get("description") or next(iter(labels(tree.get("serviceType"))), ""))
        case "QuestionnaireResponse":
            if home_visit.is_one(tree):
                return home_visit.told(tree, say)
            return ", ".join(text for item in tree.get("item", []) if (text := str(item.get("text", ""))))
        case "Immunization":
            return vaccines.told(tree, say)
        case "Condition":
            return conditions.told(tree, say)
        case "Flag":
            told, period = label(tree.get("code")), values.period(tree.get("period"), say)
            return f"{told} ({period})" if told and period else told or period
        case "Consent":
            return ", ".join(labels(tree.get("category")))
    return label(tree.get("code"))


def _setting(class_: Any, say: Say) -> str:
    """Where an Encounter took place, by its words or those of the code that R4 has for it."""
    known = next((_SETTINGS[code] for code in codes(class_) if code in _SETTINGS), "")
    return label(class_) or (say(known) if known else "")


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
