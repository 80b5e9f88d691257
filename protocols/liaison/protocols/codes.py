"""The local code systems and extensions of the protocols. `LOCAL` is the base that every area of this project uses."""

from typing import Final

LOCAL: Final = "https://liaison.example/fhir"

ROLE: Final = f"{LOCAL}/CodeSystem/role"
HOME_CARE: Final = f"{LOCAL}/CodeSystem/home-care"
ALERT_LEVEL: Final = f"{LOCAL}/CodeSystem/alert-level"
LEVELS: Final = ("YELLOW", "ORANGE", "RED")
"""Of ALERT_LEVEL, the least first."""
ALERT_CLOSING: Final = f"{LOCAL}/CodeSystem/alert-closing"
STEP: Final = f"{LOCAL}/CodeSystem/protocol-step"
COORDINATION: Final = f"{LOCAL}/CodeSystem/coordination"
DATA_CLASS: Final = f"{LOCAL}/CodeSystem/data-class"

_EXTENSION: Final = f"{LOCAL}/StructureDefinition"
LABELLED: Final = f"{_EXTENSION}/labelled"
"""On PlanDefinition: a class (valueCoding of DATA_CLASS) that all it writes has besides, as the plan of a crisis is PSY."""
LAST_DONE: Final = f"{_EXTENSION}/last-done"
"""On PlanDefinition.action: a FHIRPath Expression giving the date of the last completion, or of what the step follows."""
SEASON: Final = f"{_EXTENSION}/season"
"""On PlanDefinition.action: 'MM-DD', the day of the year on which a yearly step opens."""
CLINICAL_DECISION: Final = f"{_EXTENSION}/clinical-decision"
"""On a variable: it computes a class or signal about a patient, and can be switched off (docs: intended purpose)."""
"""On a source: general knowledge, not checked in the named document; shown as such."""
STATED_AS: Final = f"{_EXTENSION}/stated-as"
"""On a variable marked clinical-decision: as what a doctor says it instead, a `code` (valueCoding) and a `range` (valueRange) of
whole numbers. Where the variable is not computed here, the page asks for it."""
RAISES: Final = f"{_EXTENSION}/raises-alert"
"""On an answer option of a Questionnaire: the alert level it raises (valueCoding of ALERT_LEVEL)."""
ALSO_REPORTED: Final = f"{_EXTENSION}/also-reported-by"
"""On an alert: somebody else whose alert went into it (valueReference); what is answered goes back to them too."""
OVER_YEARS: Final = f"{_EXTENSION}/over-years"
"""On Measure: how many years its period is (valuePositiveInt); one without it."""
WORKSHOP: Final = f"{_EXTENSION}/workshop"
"""On Slot: the action of a programme that this session is held for (valueCanonical, 'PlanDefinition|version#action')."""
CAPACITY: Final = f"{_EXTENSION}/capacity"
"""On Slot: how many people a session takes (valuePositiveInt)."""
NOT_ON: Final = f"{_EXTENSION}/not-on"
"""On Patient: a day of the week on which the person does not come (valueCode, 'mon' to 'sun'); steps are not due on it."""
SUSPENDED: Final = f"{_EXTENSION}/suspended-on"
"""On CarePlan: the day from which it is suspended (valueDate); its steps are later by as long when it is resumed."""
PLAN_END: Final = f"{LOCAL}/CodeSystem/plan-end"
"""Why somebody does not follow a plan any more."""
ENDED_FOR: Final = f"{_EXTENSION}/ended-for"
"""On CarePlan: why it ended (valueCoding of PLAN_END); goes when it is taken up again."""
BEFORE_END: Final = f"{_EXTENSION}/before-end"
"""On Goal: the lifecycleStatus that it had when its plan ended (valueCode); goes when the plan is taken up again."""
TRANSPORT: Final = f"{_EXTENSION}/transport"
"""On Appointment: how somebody comes to a session who cannot alone, `needed` or `arranged` (valueCode)."""
FIRST_NAME: Final = f"{_EXTENSION}/first-name-given"
"""On Appointment: the person agrees that a patient educator of an association is given their first name (valueBoolean)."""
PATIENT_EDUCATOR: Final = f"{_EXTENSION}/patient-educator"
"""On an actor of a Schedule: who takes part as the patient educator of an association (valueBoolean), and cares for nobody there."""
KEPT_BY: Final = f"{_EXTENSION}/kept-by"
"""On Schedule and Slot: the structure whose agenda it is (liaison.auth.access.agenda)."""
UNVERIFIED: Final = f"{_EXTENSION}/unverified"
"""On relatedArtifact: nobody of the library has read this source again (valueBoolean)."""
VARIABLE: Final = "http://hl7.org/fhir/StructureDefinition/variable"
OBSERVATION_EXTRACT: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"

PARTICIPATION_FUNCTION: Final = (
    "https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction"
)

NOTE_TYPE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"
DOCUMENT_VISIBILITY: Final = (
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument"
)
LIAISON_NOTE: Final = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"
HOME_EVENT: Final = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-encounter-evenement"
OTHER_EVENT: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "not-permitted",
            "display": "Not Permitted",
        }
    ]
}
"""How that profile says an event that neither the SSIAD nor the SERAFIN list has: its name is the text."""
