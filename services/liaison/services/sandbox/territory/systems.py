"""The systems of the French guides and of HL7 that the territory is written with (domain notes §1.2, §3, §4.4)."""

from typing import Final

FR_CORE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition"
FR_CORE_CODES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem"
NOS: Final = "https://mos.esante.gouv.fr/NOS"


def nos(name: str) -> str:
    """The canonical of a code system of the Nomenclatures des objets de santé, as the guides write it."""
    return f"{NOS}/{name}/FHIR/{name.replace('_', '-', 1)}"


INS_TEST: Final = "urn:oid:1.2.250.1.213.1.4.10"
RPPS: Final = "https://rpps.esante.gouv.fr"
IDNPS: Final = "urn:oid:1.2.250.1.71.4.2.1"
FINESS: Final = "https://finess.esante.gouv.fr"
SIRENE: Final = "https://sirene.fr"
IDNST: Final = "urn:oid:1.2.250.1.71.4.2.2"
IDENTIFIER_TYPE: Final = f"{FR_CORE_CODES}/fr-core-cs-v2-0203"

PROFESSION: Final = nos("TRE_G15-ProfessionSante")
SPECIALTY: Final = nos("TRE_R38-SpecialiteOrdinale")
PRACTICE_MODE: Final = nos("TRE_R23-ModeExercice")
MAILBOX_TYPE: Final = nos("TRE_R256-TypeMessagerie")
COMMUNE: Final = nos("TRE_R13-CommuneOM")
ROLE_CLASS: Final = nos("TRE_R260-HL7RoleClass")
ROLE_CODE: Final = nos("TRE_R216-HL7RoleCode")
NOTE_TYPE: Final = nos("TRE_R234-TypeNote")
CIRCLE_ROLE: Final = nos("TRE_R259-HL7ParticipationFunction")
DOCUMENT_CLASS: Final = nos("TRE_A03-ClasseDocument")
VISIBILITY: Final = nos("TRE_A07-StatusVisibilite")

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
SNOMED: Final = "http://snomed.info/sct"
CIM10: Final = "http://hl7.org/fhir/sid/icd-10"
ATC: Final = "http://www.whocc.no/atc"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
LOCAL_IDS: Final = "https://liaison.example/id"
