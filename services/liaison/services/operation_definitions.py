"""What each operation is called with. The engine holds calls to it, and the OpenAPI document is made from it.

Those on the record are HL7's (liaison.fhir.operations.definitions); the others are ours, each described on its page of
docs/api. Ours are called with POST: they change something, or are told what may not stand in a URL.
"""

from collections.abc import Mapping
from typing import Final

from liaison.fhir.operations.definition import Definition, Parameter
from liaison.fhir.operations.definitions import DEFINITIONS

_OURS: Final = "https://liaison.example/fhir/OperationDefinition"
_PATIENT: Final = Parameter("patient", "Patient", minimum=1)


_ANSWERED: Final = ((200, "Parameters"),)
_MADE: Final = ((200, "Parameters"), (201, "Parameters"))
_CREATED: Final = ((201, "Parameters"),)
_ENDED: Final = ((204, ""),)


def _ours(where: str, *parameters: Parameter, returns: tuple[tuple[int, str], ...] = _ANSWERED) -> Definition:
    type_, _, name = where.partition("$")
    url = f"{_OURS}/{type_.partition('/')[0]}-{name}"
    return Definition(name, url, parameters, affects_state=True, returns=returns)


LOOKUP: Final = _ours(
    "Patient/$lookup", Parameter("patient", "Patient"), Parameter("birthDate", "date"), Parameter("letters", "string")
)
REGISTER: Final = _ours(
    "Patient/$register",
    _PATIENT,
    Parameter("status", "code"),
    Parameter("basis", "code"),
    Parameter("informed", "code"),
    Parameter("opposed", "boolean"),
    Parameter("member", "Reference", 0),
    Parameter("told", "string"),
    returns=_MADE,
)
JOIN: Final = _ours(
    "Patient/$join",
    _PATIENT,
    Parameter("ground", "code"),
    Parameter("means", "code"),
    Parameter("informed", "boolean"),
)
IDENTIFY: Final = _ours("Patient/*/$identify", Parameter("status", "code", minimum=1), Parameter("patient", "Patient"))
MERGE: Final = _ours(
    "Patient/$merge",
    Parameter("source-patient", "Reference", minimum=1),
    Parameter("target-patient", "Reference", minimum=1),
)
"""Named as in R5, whose operation moves data; ours does not."""
DUPLICATES: Final = _ours("Patient/$duplicates")
TELL_APART: Final = _ours(
    "Patient/$tell-apart",
    Parameter("patient", "Reference", minimum=1),
    Parameter("other-patient", "Reference", minimum=1),
)
OPPOSE: Final = _ours(
    "Patient/*/$oppose",
    Parameter("against", "Reference"),
    Parameter("emergency", "boolean"),
    Parameter("means", "code"),
    Parameter("signed", "Attachment"),
    returns=_CREATED,
)
ATTENDING_DOCTOR: Final = _ours(
    "Patient/*/$attending-doctor",
    Parameter("doctor", "Reference", minimum=1),
    Parameter("means", "code", minimum=1),
    Parameter("signed", "Attachment"),
    returns=_CREATED,
)
WITHDRAW: Final = _ours("Consent/*/$withdraw", Parameter("means", "code", minimum=1), Parameter("signed", "Attachment"))
EMERGENCY_ACCESS: Final = _ours("Patient/$emergency-access", _PATIENT, Parameter("reason", "string", minimum=1))
OPEN_CALL: Final = _ours(
    "Patient/$open-call",
    _PATIENT,
    Parameter("reason", "string", minimum=1),
    Parameter("regulator", "Reference"),
)
END_CALL: Final = _ours("Task/*/$end-call", Parameter("note", "string"), returns=_ENDED)
REVIEW: Final = _ours(
    "Task/*/$review", Parameter("outcome", "code", minimum=1), Parameter("note", "string"), returns=((200, "Task"),)
)
CLARIFY: Final = _ours("Task/*/$clarify", Parameter("answer", "string", minimum=1))
LAUNCH: Final = _ours(
    "Patient/*/$launch",
    Parameter("client", "string", minimum=1),
    Parameter("encounter", "Reference"),
    Parameter("intent", "code"),
    Parameter("context", "Reference", 0),
    Parameter("need-patient-banner", "boolean"),
)
_APPLIED: Final = (
    Parameter("subject", "string", minimum=1),
    Parameter("encounter", "string"),
    Parameter("practitioner", "string"),
    Parameter("organization", "string"),
    Parameter("userType", "CodeableConcept"),
    Parameter("userLanguage", "CodeableConcept"),
    Parameter("userTaskContext", "CodeableConcept"),
    Parameter("setting", "CodeableConcept"),
    Parameter("settingContext", "CodeableConcept"),
)
APPLY: Final = Definition(
    "apply",
    "http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply",
    (
        Parameter("planDefinition", "Resource"),
        *_APPLIED,
        Parameter("preview", "boolean"),
        Parameter("again", "boolean"),
        Parameter("choice", "string", 0),
        Parameter("declined", "string", 0),
    ),
    affects_state=True,
    returns=((200, "Bundle"), (201, "CarePlan")),
)
"""https://hl7.org/fhir/R4/plandefinition-operation-apply.html"""
APPLY_ACTIVITY: Final = Definition(
    "apply",
    "http://hl7.org/fhir/OperationDefinition/ActivityDefinition-apply",
    (Parameter("activityDefinition", "Resource"), *_APPLIED),
    affects_state=True,
    returns=((200, "Resource"),),
)
"""https://hl7.org/fhir/R4/activitydefinition-operation-apply.html: nothing is written, and a subject stands in no URL."""

MOVE: Final = _ours(
    "CarePlan/*/$move",
    Parameter("version", "string"),
    Parameter("confirm", "string"),
    returns=((200, "Parameters"), (201, "CarePlan")),
)
_PLAN: Final = ((200, "CarePlan"),)
SUSPEND: Final = _ours("CarePlan/*/$suspend", Parameter("note", "string", minimum=1), returns=_PLAN)
RESUME: Final = _ours("CarePlan/*/$resume", returns=_PLAN)
END: Final = _ours(
    "CarePlan/*/$end",
    Parameter("reason", "code", minimum=1),
    Parameter("note", "string"),
    Parameter("on", "date"),
    returns=_PLAN,
)

EVALUATE_MEASURE: Final = Definition(
    "evaluate-measure",
    f"{_OURS}/Measure-evaluate-measure",
    (Parameter("periodStart", "date"), Parameter("periodEnd", "date"), Parameter("reportType", "code")),
    returns=((200, "MeasureReport"),),
)
"""Not HL7's of that name, which lets its caller choose any period: ours takes a whole calendar year, or none."""

DESCRIBED: Final[Mapping[str, Definition]] = {
    **DEFINITIONS,
    "Patient/$lookup": LOOKUP,
    "Patient/$register": REGISTER,
    "Patient/$join": JOIN,
    "Patient/*/$identify": IDENTIFY,
    "Patient/$merge": MERGE,
    "Patient/*/$unmerge": _ours("Patient/*/$unmerge"),
    "Patient/$duplicates": DUPLICATES,
    "Patient/$tell-apart": TELL_APART,
    "Patient/*/$oppose": OPPOSE,
    "Patient/*/$attending-doctor": ATTENDING_DOCTOR,
    "Consent/*/$withdraw": WITHDRAW,
    "Patient/$emergency-access": EMERGENCY_ACCESS,
    "Task/*/$emergency-token": _ours("Task/*/$emergency-token"),
    "Task/*/$end-access": _ours("Task/*/$end-access", returns=_ENDED),
    "Patient/$open-call": OPEN_CALL,
    "Task/$calls-for-me": _ours("Task/$calls-for-me"),
    "Task/*/$take-call": _ours("Task/*/$take-call"),
    "Task/*/$call-token": _ours("Task/*/$call-token"),
    "Task/*/$end-call": END_CALL,
    "Task/*/$review": REVIEW,
    "Task/$asked-of-me": _ours("Task/$asked-of-me"),
    "Task/*/$clarify": CLARIFY,
    "Patient/*/$launch": LAUNCH,
    "PlanDefinition/$apply": APPLY,
    "PlanDefinition/*/$apply": APPLY,
    "ActivityDefinition/$apply": APPLY_ACTIVITY,
    "ActivityDefinition/*/$apply": APPLY_ACTIVITY,
    "CarePlan/*/$move": MOVE,
    "CarePlan/*/$suspend": SUSPEND,
    "CarePlan/*/$resume": RESUME,
    "CarePlan/*/$end": END,
    "Measure/*/$evaluate-measure": EVALUATE_MEASURE,
}
"""Every operation served, by where it is called."""
