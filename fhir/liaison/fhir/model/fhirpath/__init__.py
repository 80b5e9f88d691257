"""The part of FHIRPath (http://hl7.org/fhirpath/N1) that R4's search parameters use, compiled against R4's types."""

from liaison.fhir.model.fhirpath.compile import Branch, compile_expression, evaluate
from liaison.fhir.model.fhirpath.parse import ParseError

__all__ = ["Branch", "ParseError", "compile_expression", "evaluate"]
