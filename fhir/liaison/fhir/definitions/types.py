"""The resource types of R4 (4.0.1), their numbers in the store, and the closed list of directory types."""

import json
from pathlib import Path

_DATA = Path(__file__).parent / "data"
_KINDS: dict[str, int] = {name: number for number, name in json.loads((_DATA / "kinds.json").read_text("utf-8"))}
_TYPES = {number: name for name, number in _KINDS.items()}

RESOURCE_TYPES: frozenset[str] = frozenset(_KINDS)
"""All concrete types (146); Resource and DomainResource are abstract."""

# Who works where. No row of these names a patient.
_PEOPLE = "Practitioner PractitionerRole Organization OrganizationAffiliation Location HealthcareService Endpoint"

# Without a patient only: ownership() says which reference decides.
_TIMES = "Schedule Slot"

# http://hl7.org/fhir/R4/resourcelist.html, and the products and substances of its Medication Definition part, which
# describe what exists, not what a patient was given.
_DEFINITIONS = (
    "ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem CompartmentDefinition "
    "ConceptMap DeviceDefinition EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario "
    "GraphDefinition ImplementationGuide InsurancePlan Library Measure MedicationKnowledge MedicinalProduct "
    "MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication "
    "MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
    "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition NamingSystem "
    "ObservationDefinition OperationDefinition PlanDefinition Questionnaire ResearchDefinition "
    "ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis SearchParameter SpecimenDefinition "
    "StructureDefinition StructureMap SubstanceNucleicAcid SubstancePolymer SubstanceProtein "
    "SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestReport "
    "TestScript ValueSet"
)

DIRECTORY_TYPES: frozenset[str] = frozenset(f"{_PEOPLE} {_TIMES} {_DEFINITIONS}".split())
"""The closed list: one copy for the territory, of no patient."""


def kind_of(type_: str) -> int:
    """The number of a resource type, never changed once given. KeyError for what is not an R4 type."""
    return _KINDS[type_]


def type_of(kind: int) -> str:
    """The type of a number. KeyError for a number never given."""
    return _TYPES[kind]
