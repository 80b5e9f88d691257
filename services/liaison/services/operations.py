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
from liaison.fhir.operations import definitions
from liaison.fhir.operations.definition import Definition
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
from liaison.services.apply_operation import apply_activity, apply_plan
from liaison.services.clarifying import asked_of_me, clarify
from liaison.services.engine import Engine, Operation
from liaison.services.identities import duplicates, identify, merge, tell_apart, unmerge
from liaison.services.launching import launch_app
from liaison.services.measuring import evaluate
from liaison.services.plan_operations import end_plan, move_plan, resume_plan, suspend_plan
from liaison.services.reviewing import review
from liaison.services.way_in import declare_attending, join_team, look_up, oppose, register_patient, withdraw

OnRecord = Callable[[Store, Caller, Route, Request, str], Awaitable[Answer]]
"""An operation of liaison.fhir.operations."""


def _on_record(operation: OnRecord, definition: Definition) -> Operation:
    async def answer(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        found = await operation(engine.store, caller, where, request, engine.base_url)
        return _with_what_was_asked(found, definition, request)

    return answer


def _with_what_was_asked(answer: Answer, definition: Definition, request: Request) -> Answer:
    """For the journal: a question in a body is a question."""
    return answer._replace(asked=definition.asked(request)) if request.body else answer


async def _summary(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """Signed by the structure in which the caller acts."""
    author = Key(0, kind_of("Organization"), caller.organization) if caller.organization else None
    found = await summary(engine.store, caller, where, request, engine.base_url, author)
    return _with_what_was_asked(found, definitions.SUMMARY, request)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "Patient/$lookup": look_up,
    "Patient/$register": register_patient,
    "Patient/$join": join_team,
    "Patient/*/$identify": identify,
    "Patient/$merge": merge,
    "Patient/*/$unmerge": unmerge,
    "Patient/$duplicates": duplicates,
    "Patient/$tell-apart": tell_apart,
    "Patient/*/$oppose": oppose,
    "Patient/*/$attending-doctor": declare_attending,
    "Consent/*/$withdraw": withdraw,
    "Patient/*/$launch": launch_app,
    "PlanDefinition/$apply": apply_plan,
    "PlanDefinition/*/$apply": apply_plan,
    "ActivityDefinition/$apply": apply_activity,
    "ActivityDefinition/*/$apply": apply_activity,
    "CarePlan/*/$move": move_plan,
    "CarePlan/*/$suspend": suspend_plan,
    "CarePlan/*/$resume": resume_plan,
    "CarePlan/*/$end": end_plan,
    "Patient/$everything": _on_record(everything, definitions.PATIENT_EVERYTHING),
    "Patient/*/$everything": _on_record(everything, definitions.PATIENT_EVERYTHING),
    "Encounter/*/$everything": _on_record(encounter_everything, definitions.ENCOUNTER_EVERYTHING),
    "Resource/$validate": _on_record(validate, definitions.VALIDATE),
    "Resource/*/$validate": _on_record(validate, definitions.VALIDATE),
    "$meta": _on_record(meta, definitions.META),
    "Resource/$meta": _on_record(meta, definitions.META),
    "Resource/*/$meta": _on_record(meta, definitions.META),
    "Resource/*/$meta-add": _on_record(meta_add, definitions.META_ADD),
    "Resource/*/$meta-delete": _on_record(meta_delete, definitions.META_DELETE),
    "Observation/$lastn": _on_record(lastn, definitions.LASTN),
    "Patient/$summary": _summary,
    "Patient/*/$summary": _summary,
    "Measure/*/$evaluate-measure": evaluate,
    "Task/*/$review": review,
    "Task/$asked-of-me": asked_of_me,
    "Task/*/$clarify": clarify,
}
"""By where they are called: 'Patient/$register' on a type, 'PlanDefinition/*/$apply' on a resource, '$name' at the base;
'Resource' stands for any type."""

ELSEWHERE: Final[Mapping[str, Operation]] = {}
"""Types whose reads and searches another reader answers: AuditEvent, from the journal."""
