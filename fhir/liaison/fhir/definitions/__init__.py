"""R4 (4.0.1) as data: types, search parameters, ownership, structures and bindings. Generated, small, loaded lazily."""

from liaison.fhir.definitions.clinical import clinical_paths
from liaison.fhir.definitions.compartments import COMPARTMENTS, compartment
from liaison.fhir.definitions.ownership import Ownership, ownership
from liaison.fhir.definitions.parameters import (
    Component,
    SearchParameter,
    parameter_by_id,
    parameter_by_number,
    search_parameters,
)
from liaison.fhir.definitions.structures import (
    PRIMITIVES,
    Constraint,
    Element,
    Type,
    constraints,
    elements,
    required_codes,
)
from liaison.fhir.definitions.summaries import summary_elements
from liaison.fhir.definitions.types import DIRECTORY_TYPES, RESOURCE_TYPES, kind_of, type_of

__all__ = [
    "COMPARTMENTS",
    "DIRECTORY_TYPES",
    "PRIMITIVES",
    "RESOURCE_TYPES",
    "Component",
    "Constraint",
    "Element",
    "Ownership",
    "SearchParameter",
    "Type",
    "clinical_paths",
    "compartment",
    "constraints",
    "elements",
    "kind_of",
    "ownership",
    "parameter_by_id",
    "parameter_by_number",
    "required_codes",
    "search_parameters",
    "summary_elements",
    "type_of",
]
