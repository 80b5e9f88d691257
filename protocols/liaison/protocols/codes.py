"""The code systems that protocols are written with. One place, so that a page, a rule and a test mean the same."""

from typing import Final

LOCAL: Final = "https://liaison.example/fhir"
ROLE: Final = f"{LOCAL}/CodeSystem/role"
TASK: Final = f"{LOCAL}/CodeSystem/task"
STEP: Final = f"{LOCAL}/CodeSystem/protocol-step"
ALERT_LEVEL: Final = f"{LOCAL}/CodeSystem/alert-level"
SIGN: Final = f"{LOCAL}/CodeSystem/home-care-sign"
COMMUNICATION: Final = f"{LOCAL}/CodeSystem/communication"
HOME_CARE: Final = f"{LOCAL}/CodeSystem/home-care"
HOME_VISIT: Final = f"{LOCAL}/Questionnaire/home-visit"

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
SNOMED: Final = "http://snomed.info/sct"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
NOTE_TYPE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"
VARIABLE: Final = "http://hl7.org/fhir/StructureDefinition/variable"

ALERT_TASK: Final = "alert"
STEP_TASK: Final = "protocol-step"
INSTRUCTION: Final = "instruction"


def has_code(concept: dict[str, object] | None, system: str, code: str) -> bool:
    """Whether a CodeableConcept carries this coding."""
    codings = (concept or {}).get("coding", [])
    return isinstance(codings, list) and any(c.get("system") == system and c.get("code") == code for c in codings)


def code_of(concept: dict[str, object] | None, system: str) -> str:
    """The code of this system in a CodeableConcept, or ''."""
    codings = (concept or {}).get("coding", [])
    if not isinstance(codings, list):
        return ""
    return next((str(c.get("code", "")) for c in codings if c.get("system") == system), "")
