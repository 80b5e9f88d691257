"""Value sets and code systems kept in the base, as sets of codes. The place of a later terminology service."""

from liaison.fhir.terminology.codesystem import CodeSystem
from liaison.fhir.terminology.members import Codes, Members
from liaison.fhir.terminology.valueset import Definitions, expand

__all__ = ["CodeSystem", "Codes", "Definitions", "Members", "expand"]
