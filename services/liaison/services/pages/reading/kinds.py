"""What kind of thing a resource is, in the words of the pages."""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import allergies, conditions, home_visit, written
from liaison.services.pages.reading.states import refuted

Tree = dict[str, Any]


KINDS: Final = {
    "Observation": _("Mesure"),
    "Condition": conditions.KIND,
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
NOTE: Final = _("Note de liaison")
QUESTIONNAIRE: Final = _("Questionnaire")
REFUTED: Final = _("Allergie écartée")
INTOLERANCE: Final = _("Intolérance")
ALLERGIES: Final = _("Allergies")
OTHER: Final = _("Autre élément")


def kind(tree: Tree) -> str:
    type_ = str(tree["resourceType"])
    if type_ == "AllergyIntolerance" and refuted(tree):
        return REFUTED
    if type_ == "AllergyIntolerance" and allergies.none(tree):
        return ALLERGIES
    if type_ == "AllergyIntolerance" and tree.get("type") == "intolerance":
        return INTOLERANCE
    if type_ == "QuestionnaireResponse" and not home_visit.is_one(tree):
        return QUESTIONNAIRE
    if written.is_note(tree):
        return NOTE
    return KINDS.get(type_, OTHER)
