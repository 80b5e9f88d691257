"""Reading, validating and indexing resources: bytes in, a plain tree, every problem by its FHIRPath."""

from liaison.fhir.model.extract import clinical, extract
from liaison.fhir.model.narrative import clean_narrative
from liaison.fhir.model.number import Number
from liaison.fhir.model.reading import dump, glance, read, reread
from liaison.fhir.model.references import references, referring, rewrite
from liaison.fhir.model.tree import Tree
from liaison.fhir.model.validation import problems, validate

__all__ = [
    "Number",
    "Tree",
    "clean_narrative",
    "clinical",
    "dump",
    "extract",
    "glance",
    "problems",
    "read",
    "references",
    "referring",
    "reread",
    "rewrite",
    "validate",
]
