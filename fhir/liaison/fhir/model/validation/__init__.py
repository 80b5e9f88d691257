"""Validation against R4 (4.0.1) itself: docs/decisions/0002-validation.md says why not against fhir.resources."""

from liaison.fhir.model.validation.validate import problems, validate

__all__ = ["problems", "validate"]
