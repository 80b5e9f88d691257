"""A synthetic French territory, made of plain FHIR R4 trees: always the same for one seed, size and moment.

Nobody in it exists, and no place: identifiers come from test ranges, telephone numbers from those kept for fiction.
"""

from liaison.services.sandbox.territory.territory import Patient, Person, Territory, build

__all__ = ["Patient", "Person", "Territory", "build"]
