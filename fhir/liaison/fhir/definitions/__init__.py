"""R4 (4.0.1) as data: types, search parameters, ownership, structures and bindings. Generated, small, loaded lazily."""

from liaison.fhir.definitions.clinical import clinical_paths
from liaison.fhir.definitions.compartments import COMPARTMENTS, compartment
from liaison.fhir.definitions.ownership import Ownership, ownership
from liaison.fhir.definitions.parameters import (
    FIRST_ADDED,
    LAST_ADDED,
    NONE_ADDED,
    Allowed,
    Component,
    Custom,
    SearchParameter,
    in_force,
    is_of,
    kept_parameters,
    official_parameters,
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
    "FIRST_ADDED",
    "LAST_ADDED",
    "NONE_ADDED",
    "PRIMITIVES",
    "RESOURCE_TYPES",
    "Allowed",
    "Component",
    "Constraint",
    "Custom",
    "Element",
    "Ownership",
    "SearchParameter",
    "Type",
    "clinical_paths",
    "compartment",
    "constraints",
    "elements",
    "in_force",
    "is_of",
    "kept_parameters",
    "kind_of",
    "official_parameters",
    "ownership",
    "parameter_by_id",
    "parameter_by_number",
    "required_codes",
    "search_parameters",
    "summary_elements",
    "type_of",
]
