"""One plain French sentence for each kind of resource, for lists of what changed. No judgement, no code shown raw."""

import base64
import binascii
from typing import Any, Final

from liaison.services.pages.reading import home_visit, measures
from liaison.services.pages.reading.concepts import label

Tree = dict[str, Any]


_ONE_LINE: Final = 160
"""Characters of a note that are still its own title; a longer one unfolds under the words of its type."""


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
    "on-hold": "suspendu",
    "completed": "fait",
    "resolved": "résolu",
    "inactive": "inactif",
}


# Being over is their ordinary state: it need not be said.
_STATELESS: Final = frozenset(
    {"Encounter", "Task", "Communication", "QuestionnaireResponse", "Immunization", "Procedure"}
)


def text_of(tree: Tree) -> str:
    """The words that someone wrote: a note's attachment, a report's form, a message's payload."""
    attachments = [content.get("attachment", {}) for content in tree.get("content", [])]
    for attachment in [*attachments, *tree.get("presentedForm", [])]:
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
            return f"{measures.name(tree)} : {measures.value(tree)}".strip(" :")
        case "MedicationRequest" | "MedicationStatement":
            dosage = next((str(d["text"]) for d in tree.get("dosageInstruction", []) if d.get("text")), "")
            return ", ".join(part for part in (medicine(tree), dosage) if part)
        case "Encounter":
            reasons = [*tree.get("reasonCode", []), *tree.get("type", [])]
            reason = next((label(r) for r in reasons if label(r)), "")
            return ", ".join(part for part in (label(tree.get("class")), reason) if part)
        case "DocumentReference":
            words = text_of(tree)
            said = str(tree.get("description") or (words if len(words) <= _ONE_LINE else "") or label(tree.get("type")))
            return said or words[:_ONE_LINE]
        case "DiagnosticReport":
            return ", ".join(filter(None, (label(tree.get("code")), str(tree.get("conclusion", "")))))
        case "Communication":
            return text_of(tree) or next((label(c) for c in tree.get("category", [])), "")
        case "Task" | "ServiceRequest":
            return str(tree.get("description") or label(tree.get("code")))
        case "CarePlan":
            kinds = (label(one) for one in tree.get("category", []))
            return str(tree.get("title") or next(filter(None, kinds), ""))
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


def medicine(tree: Tree) -> str:
    """What is taken: its words, those of the Medication that the resource contains, or of the reference to one."""
    if said := label(tree.get("medicationCodeableConcept")):
        return said
    reference = tree.get("medicationReference") or {}
    inside = (one for one in tree.get("contained", []) if f"#{one.get('id')}" == reference.get("reference"))
    return next((label(one.get("code")) for one in inside), "") or str(reference.get("display", ""))


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
