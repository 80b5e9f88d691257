"""Facts, read from the resources that state them: one module per type. Pure: the same tree always gives the same facts.

`facts_of` is called in the transaction that writes the resource; its rows in `relation` replace those that the earlier
version stated. A resource that cannot be understood states nothing, and nothing is allowed by it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from liaison.auth.access.facts import appointment, care_team, consent, encounter, patient, related_person, task
from liaison.auth.access.facts.reading import Reading
from liaison.auth.access.world import Fact

_MODULES: Final[Mapping[str, Callable[[Reading], Iterable[Fact]]]] = {
    "Appointment": appointment.facts,
    "CareTeam": care_team.facts,
    "Consent": consent.facts,
    "Encounter": encounter.facts,
    "Patient": patient.facts,
    "RelatedPerson": related_person.facts,
    "Task": task.facts,
}
FACT_TYPES: Final = frozenset(_MODULES)
"""Types from which rights of a patient derive. PractitionerRole and Organization: liaison.auth.access.directory."""


def facts_of(type_: str, reading: Reading) -> list[Fact]:
    """Every fact that this version of the resource states, in a stable order."""
    module = _MODULES.get(type_)
    return [] if module is None else list(module(reading))


__all__ = ["FACT_TYPES", "Reading", "facts_of"]
