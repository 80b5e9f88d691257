"""The operations on the record, by where they are called: 'Patient/$name' on a type, 'Patient/*/$name' on a resource,
'$name' at the base. 'Resource' stands for every type. Their definitions are HL7's; parameters that R4 gives them and that
mean nothing here are left out, so that they are refused by name.
"""

from collections.abc import Mapping
from typing import Final

from liaison.fhir.operations.definition import Definition, Parameter

_R4: Final = "http://hl7.org/fhir/OperationDefinition/"

_PART: Final = (Parameter("_since", "instant"), Parameter("_type", "code", 0), Parameter("_count", "positiveInt"))
_BUNDLE: Final = ((200, "Bundle"),)
_DATES: Final = (Parameter("start", "date"), Parameter("end", "date"))

PATIENT_EVERYTHING: Final = Definition(
    "everything", f"{_R4}Patient-everything", (*_DATES, *_PART), paged=True, returns=_BUNDLE
)
"""https://hl7.org/fhir/R4/patient-operation-everything.html"""

ENCOUNTER_EVERYTHING: Final = Definition("everything", f"{_R4}Encounter-everything", _PART, paged=True, returns=_BUNDLE)
"""https://hl7.org/fhir/R4/encounter-operation-everything.html"""

VALIDATE: Final = Definition(
    "validate",
    f"{_R4}Resource-validate",
    (Parameter("resource", "Resource"), Parameter("mode", "code"), Parameter("profile", "uri")),
    returns=((200, "OperationOutcome"),),
)
"""https://hl7.org/fhir/R4/resource-operation-validate.html"""

META: Final = Definition("meta", f"{_R4}Resource-meta")
"""https://hl7.org/fhir/R4/resource-operation-meta.html"""

META_ADD: Final = Definition("meta-add", f"{_R4}Resource-meta-add", (Parameter("meta", "Meta"),), affects_state=True)
"""https://hl7.org/fhir/R4/resource-operation-meta-add.html"""

META_DELETE: Final = Definition(
    "meta-delete", f"{_R4}Resource-meta-delete", (Parameter("meta", "Meta"),), affects_state=True
)
"""https://hl7.org/fhir/R4/resource-operation-meta-delete.html"""

LASTN: Final = Definition(
    "lastn", f"{_R4}Observation-lastn", (Parameter("max", "positiveInt"),), searches=True, returns=_BUNDLE
)
"""https://hl7.org/fhir/R4/observation-operation-lastn.html"""

SUMMARY: Final = Definition(
    "summary",
    "http://hl7.org/fhir/uv/ips/OperationDefinition/summary",
    (Parameter("identifier", "string"), Parameter("profile", "canonical")),
    returns=_BUNDLE,
)
"""https://hl7.org/fhir/uv/ips/STU2/OperationDefinition-summary.html"""

DEFINITIONS: Final[Mapping[str, Definition]] = {
    "Patient/$everything": PATIENT_EVERYTHING,
    "Patient/*/$everything": PATIENT_EVERYTHING,
    "Encounter/*/$everything": ENCOUNTER_EVERYTHING,
    "Resource/$validate": VALIDATE,
    "Resource/*/$validate": VALIDATE,
    "$meta": META,
    "Resource/$meta": META,
    "Resource/*/$meta": META,
    "Resource/*/$meta-add": META_ADD,
    "Resource/*/$meta-delete": META_DELETE,
    "Observation/$lastn": LASTN,
    "Patient/$summary": SUMMARY,
    "Patient/*/$summary": SUMMARY,
}
