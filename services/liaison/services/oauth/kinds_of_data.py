"""What each resource type of R4 holds, in the words of the consent page. http://hl7.org/fhir/R4/resourcelist.html

Every type has words: software may ask for any, and nobody agrees to a word of engineers. What is met once in a career, as
definitions for software, shares its words with its like, and has its own name beside them there.
"""

from typing import Final

from liaison.services.pages.marking import Gettext, _

_MEDICINES: Final = _("Référentiel des médicaments")
_RESEARCH: Final = _("Recherche et études")
_SUBSTANCES: Final = _("Référentiel des substances")
_MONEY: Final = _("Factures et remboursements")
_SHARED: Final = _("Textes et modèles communs, sans données de personnes")
_TECHNICAL: Final = _("Description technique du service, sans données de personnes")

_OWN: Final = {
    "Account": _("Comptes de facturation"),
    "AdverseEvent": _("Événements indésirables"),
    "AllergyIntolerance": _("Allergies"),
    "Appointment": _("Rendez-vous"),
    "AppointmentResponse": _("Réponses aux rendez-vous"),
    "AuditEvent": _("Traces d’accès aux dossiers"),
    "Basic": _("Autres informations, sans catégorie"),
    "Binary": _("Contenu de documents et d’images"),
    "BiologicallyDerivedProduct": _("Produits sanguins et greffons"),
    "BodyStructure": _("Parties du corps concernées"),
    "Bundle": _("Ensembles d’informations réunies"),
    "CarePlan": _("Plan de soins"),
    "CareTeam": _("Équipe de soins"),
    "ClinicalImpression": _("Synthèses cliniques"),
    "Communication": _("Messages et notes de liaison"),
    "CommunicationRequest": _("Demandes d’envoi de messages"),
    "Composition": _("Documents structurés"),
    "Condition": _("Maladies et problèmes de santé"),
    "Consent": _("Consentements et oppositions"),
    "Contract": _("Contrats"),
    "Coverage": _("Couverture sociale et mutuelle"),
    "DetectedIssue": _("Mises en garde sur un traitement"),
    "Device": _("Matériel médical"),
    "DeviceMetric": _("Réglages du matériel médical"),
    "DeviceRequest": _("Demandes de matériel médical"),
    "DeviceUseStatement": _("Utilisation du matériel médical"),
    "DiagnosticReport": _("Comptes rendus d’examens"),
    "DocumentManifest": _("Listes de documents"),
    "DocumentReference": _("Documents"),
    "Encounter": _("Consultations, visites et séjours"),
    "Endpoint": _("Adresses informatiques des structures"),
    "EpisodeOfCare": _("Périodes de suivi"),
    "FamilyMemberHistory": _("Antécédents de la famille"),
    "Flag": _("Points d’attention (« À savoir »)"),
    "Goal": _("Objectifs"),
    "Group": _("Groupes de personnes"),
    "GuidanceResponse": _("Conseils calculés par un logiciel"),
    "HealthcareService": _("Annuaire des services proposés"),
    "ImagingStudy": _("Examens d’imagerie"),
    "Immunization": _("Vaccinations"),
    "ImmunizationEvaluation": _("Contrôle des vaccinations"),
    "ImmunizationRecommendation": _("Vaccins recommandés"),
    "InsurancePlan": _("Offres d’assurance"),
    "Linkage": _("Liens entre des informations identiques"),
    "List": _("Listes (traitements, problèmes, allergies)"),
    "Location": _("Annuaire des lieux"),
    "MeasureReport": _("Résultats d’indicateurs"),
    "Media": _("Photos, vidéos et sons"),
    "Medication": _("Médicaments"),
    "MedicationAdministration": _("Médicaments donnés"),
    "MedicationDispense": _("Médicaments délivrés en pharmacie"),
    "MedicationRequest": _("Prescriptions"),
    "MedicationStatement": _("Traitements en cours"),
    "MessageHeader": _("Messages entre logiciels"),
    "MolecularSequence": _("Données génétiques"),
    "NutritionOrder": _("Régimes alimentaires prescrits"),
    "Observation": _("Mesures et résultats"),
    "Organization": _("Annuaire des structures"),
    "OrganizationAffiliation": _("Liens entre les structures"),
    "Patient": _("Identité et coordonnées"),
    "Person": _("Identité d’une personne dans plusieurs dossiers"),
    "Practitioner": _("Annuaire des professionnels"),
    "PractitionerRole": _("Annuaire des professionnels et de leurs exercices"),
    "Procedure": _("Actes réalisés"),
    "Provenance": _("Origine des informations : qui les a écrites"),
    "QuestionnaireResponse": _("Réponses aux questionnaires"),
    "RelatedPerson": _("Proches et représentants"),
    "RequestGroup": _("Groupes d’étapes du plan"),
    "RiskAssessment": _("Évaluations de risque"),
    "Schedule": _("Agendas"),
    "ServiceRequest": _("Demandes d’examens et de soins"),
    "Slot": _("Créneaux de rendez-vous"),
    "Specimen": _("Prélèvements"),
    "Subscription": _("Alertes envoyées à un logiciel"),
    "SupplyDelivery": _("Livraisons de fournitures"),
    "SupplyRequest": _("Demandes de fournitures"),
    "Task": _("Tâches et étapes du plan"),
    "VerificationResult": _("Vérifications de l’annuaire"),
    "VisionPrescription": _("Ordonnances de lunettes et de lentilles"),
}
_ALIKE: Final = {
    _MEDICINES: (
        "MedicationKnowledge", "MedicinalProduct", "MedicinalProductAuthorization", "MedicinalProductContraindication",
        "MedicinalProductIndication", "MedicinalProductIngredient", "MedicinalProductInteraction",
        "MedicinalProductManufactured", "MedicinalProductPackaged", "MedicinalProductPharmaceutical",
        "MedicinalProductUndesirableEffect",
    ),
    _RESEARCH: (
        "EffectEvidenceSynthesis", "Evidence", "EvidenceVariable", "ResearchDefinition", "ResearchElementDefinition",
        "ResearchStudy", "ResearchSubject", "RiskEvidenceSynthesis",
    ),
    _SUBSTANCES: (
        "Substance", "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein", "SubstanceReferenceInformation",
        "SubstanceSourceMaterial", "SubstanceSpecification",
    ),
    _MONEY: (
        "ChargeItem", "Claim", "ClaimResponse", "CoverageEligibilityRequest", "CoverageEligibilityResponse",
        "EnrollmentRequest", "EnrollmentResponse", "ExplanationOfBenefit", "Invoice", "PaymentNotice",
        "PaymentReconciliation",
    ),
    _SHARED: (
        "ActivityDefinition", "CatalogEntry", "ChargeItemDefinition", "DeviceDefinition", "EventDefinition",
        "ExampleScenario", "Library", "Measure", "ObservationDefinition", "PlanDefinition", "Questionnaire",
        "SpecimenDefinition",
    ),
    _TECHNICAL: (
        "CapabilityStatement", "CodeSystem", "CompartmentDefinition", "ConceptMap", "GraphDefinition",
        "ImplementationGuide", "MessageDefinition", "NamingSystem", "OperationDefinition", "OperationOutcome",
        "Parameters", "SearchParameter", "StructureDefinition", "StructureMap", "TerminologyCapabilities", "TestReport",
        "TestScript", "ValueSet",
    ),
}  # fmt: skip
_GROUPED: Final = {type_: words for words, types in _ALIKE.items() for type_ in types}


_WHOLE: Final = {
    _("Identité, coordonnées, proches et représentants"): ("Patient", "Person", "RelatedPerson", "Group"),
    _("Maladies, allergies et antécédents, ceux de la famille compris"): (
        "Condition", "AllergyIntolerance", "FamilyMemberHistory", "ClinicalImpression", "AdverseEvent", "Flag", "DetectedIssue",
        "RiskAssessment", "BodyStructure", "EpisodeOfCare",
    ),
    _("Traitements, ordonnances et vaccins"): (
        "Medication", "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement",
        "Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation", "NutritionOrder", "VisionPrescription",
    ),
    _("Mesures, résultats d’examens, images et données génétiques"): (
        "Observation", "DiagnosticReport", "ImagingStudy", "Media", "Specimen", "MolecularSequence", "BiologicallyDerivedProduct",
    ),
    _("Documents et comptes rendus"): (
        "DocumentReference", "DocumentManifest", "Composition", "Binary", "Bundle", "List", "Basic", "Linkage",
    ),
    _("Consultations, visites, séjours, actes et rendez-vous"): (
        "Encounter", "Procedure", "ServiceRequest", "Appointment", "AppointmentResponse", "Schedule", "Slot",
    ),
    _("Plan de soins, tâches, équipe et alertes"): (
        "CarePlan", "Goal", "Task", "CareTeam", "RequestGroup", "GuidanceResponse", "MeasureReport", "Subscription",
    ),
    _("Messages, notes de liaison et réponses aux questionnaires"): (
        "Communication", "CommunicationRequest", "MessageHeader", "QuestionnaireResponse",
    ),
    _("Matériel médical et fournitures"): (
        "Device", "DeviceMetric", "DeviceRequest", "DeviceUseStatement", "SupplyDelivery", "SupplyRequest",
    ),
    _("Couverture sociale, factures et remboursements"): ("Account", "Contract", "Coverage", "InsurancePlan", *_ALIKE[_MONEY]),
    _("Consentements et oppositions, origine des informations, traces d’accès"): ("Consent", "Provenance", "AuditEvent"),
    _("Recherche et études"): _ALIKE[_RESEARCH],
    _("Annuaire des professionnels et des structures"): (
        "Practitioner", "PractitionerRole", "Organization", "OrganizationAffiliation", "HealthcareService", "Location",
        "Endpoint", "VerificationResult",
    ),
    _("Référentiels et modèles, sans données de personnes"): (
        *_ALIKE[_MEDICINES], *_ALIKE[_SUBSTANCES], *_ALIKE[_SHARED], *_ALIKE[_TECHNICAL],
    ),
}  # fmt: skip
"""What « everything » is: each type stands in one line of it."""


def all_of_it(gettext: Gettext) -> list[str]:
    """What software reads that asks for every type, in a few lines."""
    return [gettext(words) for words in _WHOLE]


def in_all_of_it() -> list[str]:
    """The types that those lines tell of."""
    return [type_ for types in _WHOLE.values() for type_ in types]


def called(type_: str, gettext: Gettext) -> str:
    """'Allergies'; 'Référentiel des médicaments (MedicationKnowledge)'."""
    if type_ == "*":
        return gettext(_("Tout ce que vous pouvez voir vous-même"))
    if type_ in _OWN:
        return gettext(_OWN[type_])
    return f"{gettext(_GROUPED[type_])} ({type_})"
