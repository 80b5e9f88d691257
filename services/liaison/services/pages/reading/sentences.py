"""One plain French sentence for each kind of resource, for lists of what changed. No judgement, no code shown raw."""

import base64
import binascii
from typing import Any, Final

from liaison.services.pages.reading import home_visit
from liaison.services.pages.reading.concepts import label

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


KINDS: Final = {
    "Observation": _("Mesure"),
    "Condition": _("Problème de santé"),
    "MedicationRequest": _("Traitement"),
    "MedicationStatement": _("Traitement"),
    "AllergyIntolerance": _("Allergie"),
    "Encounter": _("Rencontre"),
    "DocumentReference": _("Document"),
    "Communication": _("Message"),
    "Task": _("Tâche"),
    "Flag": _("À savoir"),
    "CarePlan": _("Plan"),
    "Goal": _("Objectif"),
    "Appointment": _("Rendez-vous"),
    "Procedure": _("Acte"),
    "Immunization": _("Vaccin"),
    "QuestionnaireResponse": _("Visite à domicile"),
    "DiagnosticReport": _("Compte rendu"),
    "Consent": _("Consentement"),
    "Patient": _("Identité"),
    "RelatedPerson": _("Proche"),
    "ServiceRequest": _("Demande"),
    "Coverage": _("Couverture sociale"),
    "EpisodeOfCare": _("Suivi"),
    "RequestGroup": _("Plan"),
    "Provenance": _("Origine"),
    "AuditEvent": _("Trace d'accès"),
    "Binary": _("Document"),
    "Composition": _("Document"),
    "List": _("Liste"),
    "Medication": _("Médicament"),
    "MedicationAdministration": _("Traitement"),
    "MedicationDispense": _("Délivrance"),
    "Specimen": _("Prélèvement"),
    "ImagingStudy": _("Imagerie"),
    "FamilyMemberHistory": _("Antécédents familiaux"),
    "Device": _("Matériel"),
    "DeviceRequest": _("Demande de matériel"),
    "NutritionOrder": _("Régime"),
    "RiskAssessment": _("Évaluation"),
    "Person": _("Identité"),
    "Group": _("Groupe"),
    "Schedule": _("Agenda"),
    "Slot": _("Créneau"),
    "CareTeam": _("Équipe"),
    "ClinicalImpression": _("Synthèse"),
}
QUESTIONNAIRE: Final = _("Questionnaire")
OTHER: Final = _("Autre élément")
_STATES: Final = {
    "entered-in-error": "saisi par erreur",
    "cancelled": "annulé",
    "stopped": "arrêté",
    "completed": "fait",
    "resolved": "résolu",
    "inactive": "inactif",
}


# Being over is their ordinary state: it need not be said.
_STATELESS: Final = frozenset(
    {"Encounter", "Task", "Communication", "QuestionnaireResponse", "Immunization", "Procedure"}
)


def value(observation: Tree) -> str:
    """The value with its unit in French typography, or the components of a panel ('128/76 mm[Hg]')."""
    if quantity := observation.get("valueQuantity"):
        number = str(quantity.get("value", "")).replace(".", ",")
        return f"{number} {unit(quantity)}".strip()
    for name in ("valueString", "valueInteger", "valueDateTime"):
        if name in observation:
            return str(observation[name])
    if "valueBoolean" in observation:
        return "oui" if observation["valueBoolean"] else "non"
    if "valueCodeableConcept" in observation:
        return label(observation["valueCodeableConcept"])
    parts = [value(component) for component in observation.get("component", [])]
    numbers = [part.split(" ")[0] for part in parts if part]
    units = {part.split(" ", 1)[1] for part in parts if " " in part}
    return f"{'/'.join(numbers)} {units.pop()}" if len(units) == 1 else ", ".join(parts)


def unit(quantity: Tree) -> str:
    written = str(quantity.get("unit") or quantity.get("code") or "")
    return {"mm[Hg]": "mmHg", "Cel": "°C", "{score}": "", "1": "", "/min": "/min"}.get(written, written)


def text_of(tree: Tree) -> str:
    """The words that someone wrote: a note's attachment, a message's payload, a Task's description."""
    for content in tree.get("content", []):
        attachment = content.get("attachment", {})
        if str(attachment.get("contentType", "")).startswith("text/") and "data" in attachment:
            try:
                return base64.b64decode(attachment["data"]).decode("utf-8", "replace")
            except binascii.Error:
                return ""
    for payload in tree.get("payload", []):
        if payload.get("contentString"):
            return str(payload["contentString"])
    return ""


def sentence(tree: Tree) -> str:
    """What the resource says, in a line. Where nothing can be said, the kind alone."""
    said = _said(tree) or kind(tree)
    state = _STATES.get(str(tree.get("status", "")), "")
    return f"{said} ({state})" if state and tree["resourceType"] not in _STATELESS else said


def _said(tree: Tree) -> str:
    match tree["resourceType"]:
        case "Observation":
            return f"{label(tree.get('code'))} : {value(tree)}".strip(" :")
        case "MedicationRequest" | "MedicationStatement":
            dosage = next((str(d["text"]) for d in tree.get("dosageInstruction", []) if d.get("text")), "")
            return ", ".join(part for part in (label(tree.get("medicationCodeableConcept")), dosage) if part)
        case "Encounter":
            reason = next((label(r) for r in tree.get("reasonCode", []) if label(r)), "")
            return ", ".join(part for part in (label(tree.get("class")), reason) if part)
        case "DocumentReference":
            return str(tree["description"]) if tree.get("description") else text_of(tree) or label(tree.get("type"))
        case "Communication":
            return text_of(tree) or next((label(c) for c in tree.get("category", [])), "")
        case "Task" | "ServiceRequest":
            return str(tree.get("description") or label(tree.get("code")))
        case "CarePlan":
            return str(tree.get("title", ""))
        case "Goal":
            return ", ".join(
                filter(None, (label(tree.get("description")), label(tree.get("achievementStatus")).lower()))
            )
        case "Appointment":
            return str(tree.get("description") or next((label(s) for s in tree.get("serviceType", [])), ""))
        case "QuestionnaireResponse":
            if home_visit.is_one(tree):
                return home_visit.told(tree)
            return ", ".join(text for item in tree.get("item", []) if (text := str(item.get("text", ""))))
        case "Immunization":
            return label(tree.get("vaccineCode"))
        case "Consent":
            return ", ".join(label(c) for c in tree.get("category", []) if label(c))
    return label(tree.get("code"))


def kind(tree: Tree) -> str:
    type_ = str(tree["resourceType"])
    if type_ == "QuestionnaireResponse" and not home_visit.is_one(tree):
        return QUESTIONNAIRE
    return KINDS.get(type_, OTHER)


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
