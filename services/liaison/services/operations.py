"""The operations ($everything, $register, $apply…) and the types that are not in the record store. One line each.

Those on the record alone are in liaison.fhir.operations, with what they are called with; the others are here.
Those that need more than the engine are built with it by the house: see emergency_access.

An operation has the signature of `engine.Operation`. It checks the scopes it needs itself, and answers like any
interaction: what it shows is in `Answer.disclosed`, so that the engine journals it before it leaves.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.encounter_everything import encounter_everything
from liaison.fhir.operations.everything import everything
from liaison.fhir.operations.lastn import lastn
from liaison.fhir.operations.meta import meta
from liaison.fhir.operations.meta_add import meta_add
from liaison.fhir.operations.meta_delete import meta_delete
from liaison.fhir.operations.summary import summary
from liaison.fhir.operations.validate import validate
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.services.apply_operation import apply_plan
from liaison.services.engine import Engine, Operation
from liaison.services.way_in import join_team, look_up, oppose, register_patient

OnRecord = Callable[[Store, Caller, Route, Request, str], Awaitable[Answer]]
"""An operation of liaison.fhir.operations."""


def _on_record(operation: OnRecord) -> Operation:
    async def answer(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        return await operation(engine.store, caller, where, request, engine.base_url)

    return answer


async def _summary(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """Signed by the structure in which the caller acts."""
    author = Key(0, kind_of("Organization"), caller.organization) if caller.organization else None
    return await summary(engine.store, caller, where, request, engine.base_url, author)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "Patient/$lookup": look_up,
    "Patient/$register": register_patient,
    "Patient/$join": join_team,
    "Patient/*/$oppose": oppose,
    "PlanDefinition/*/$apply": apply_plan,
    "Patient/$everything": _on_record(everything),
    "Patient/*/$everything": _on_record(everything),
    "Encounter/*/$everything": _on_record(encounter_everything),
    "Resource/$validate": _on_record(validate),
    "Resource/*/$validate": _on_record(validate),
    "$meta": _on_record(meta),
    "Resource/$meta": _on_record(meta),
    "Resource/*/$meta": _on_record(meta),
    "Resource/*/$meta-add": _on_record(meta_add),
    "Resource/*/$meta-delete": _on_record(meta_delete),
    "Observation/$lastn": _on_record(lastn),
    "Patient/$summary": _summary,
    "Patient/*/$summary": _summary,
}
"""By where they are called: 'Patient/$register' on a type, 'PlanDefinition/*/$apply' on a resource, '$name' at the base;
'Resource' stands for any type."""

ELSEWHERE: Final[Mapping[str, Operation]] = {}
"""Types whose reads and searches another reader answers: AuditEvent, from the journal."""
