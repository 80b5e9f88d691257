"""The extended operations ($register, $apply…) and the types that are not in the record store. One line each.

Those that need more than the engine are built with it by the house: see emergency_access.

An operation has the signature of `engine.Operation`. It checks the scopes it needs itself, and answers like any
interaction: what it shows is in `Answer.disclosed`, so that the engine journals it before it leaves.
"""

from collections.abc import Mapping
from typing import Final

from liaison.services.apply_operation import apply_plan
from liaison.services.engine import Operation
from liaison.services.way_in import join_team, look_up, oppose, register_patient

OPERATIONS: Final[Mapping[str, Operation]] = {
    "Patient/$lookup": look_up,
    "Patient/$register": register_patient,
    "Patient/$join": join_team,
    "Patient/*/$oppose": oppose,
    "PlanDefinition/*/$apply": apply_plan,
}
"""By where they are called: 'Patient/$register' on a type, 'PlanDefinition/*/$apply' on a resource, '$name' at the base."""

ELSEWHERE: Final[Mapping[str, Operation]] = {}
"""Types whose reads and searches another reader answers: AuditEvent, from the journal."""
