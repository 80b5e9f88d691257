"""The operations on identities that are known, as FHIR. Their rules: liaison.auth.access.identifying, .merging, .duplicates.

* `Patient/[id]/$identify`: the identity was checked; its status, and the matricule when it is qualified.
* `Patient/$merge`, `Patient/[id]/$unmerge`: two records are of one person, or are not after all.
* `Patient/$duplicates`, `Patient/$tell-apart`: two that may be, among those one sees; and that they are not.
"""

import orjson

from liaison.auth.access import duplicates as doubles
from liaison.auth.access import identifying, merging
from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.errors import BadRequest, MethodNotAllowed, NotFound
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Key, Request, Tree
from liaison.services.engine import Engine
from liaison.services.operation_definitions import IDENTIFY, MERGE, TELL_APART
from liaison.services.parameters import Given, answered, posted_to


async def identify(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with result `recorded`, or `duplicate` when the matricule has another record."""
    scope.permit_letter(caller, "u", "Patient")
    given = Given(request, IDENTIFY)
    key = engine.store.key("Patient", where.id_)
    if key is None:
        raise NotFound
    status, seen = given.code("status"), given.patient() if given.has("patient") else None
    recorded = await identifying.identify(engine.store, caller, key, status, seen, engine.base_url)
    await _journaled(engine, caller, key, request, f"{Act.IDENTIFIED}: {status}")
    return answered(200, result="recorded" if recorded else "duplicate", patient=engine.store.reference(key))


async def merge(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with result `merged` and the record that stays."""
    scope.permit_letter(caller, "u", "Patient")
    given = Given(request, MERGE)
    source, target = (_patient(engine, given, name) for name in ("source-patient", "target-patient"))
    await merging.merge(engine.store, caller, source, target, engine.base_url)
    for key in (source, target):
        await _journaled(engine, caller, key, request, Act.MERGED)
    return answered(200, result="merged", patient=engine.store.reference(target))


async def unmerge(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with result `unmerged` and the record that was merged into another."""
    scope.permit_letter(caller, "u", "Patient")
    key = posted_to(engine.store, "Patient", where, request)
    await merging.unmerge(engine.store, caller, key, engine.base_url)
    await _journaled(engine, caller, key, request, Act.UNMERGED)
    return answered(200, result="unmerged", patient=engine.store.reference(key))


async def duplicates(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with a part `pair` for each two records; none is an empty Parameters. Each record is journaled before that."""
    if request.method != "POST":
        raise MethodNotAllowed("Call this operation with POST.", ("POST",))
    scope.permit_letter(caller, "s", "Patient")
    found = await doubles.proposed(engine.store, caller, engine.base_url)
    named = dict.fromkeys(reference for pair in found for reference in (pair.one, pair.other))
    keys = [engine.store.key("Patient", reference.removeprefix("Patient/")) for reference in named]
    told = [entry(caller, Event.OPERATION, patient=key.patient, request=request) for key in keys if key]
    await engine.journal.record(tuple(told or [entry(caller, Event.OPERATION, request=request)]))
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": [_pair(pair) for pair in found]}))


async def tell_apart(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with result `distinct`."""
    scope.permit_letter(caller, "u", "Patient")
    given = Given(request, TELL_APART)
    one, other = (_patient(engine, given, name) for name in ("patient", "other-patient"))
    await doubles.tell_apart(engine.store, caller, one, other, engine.base_url)
    for key in (one, other):
        await _journaled(engine, caller, key, request, Act.TOLD_APART)
    return answered(200, result="distinct")


def _pair(pair: doubles.Proposed) -> Tree:
    return {
        "name": "pair",
        "part": [
            {"name": "patient", "valueReference": {"reference": pair.one}},
            {"name": "other-patient", "valueReference": {"reference": pair.other}},
            {"name": "likeness", "valueCode": pair.likeness},
            {"name": "distinct", "valueBoolean": pair.distinct},
        ],
    }


def _patient(engine: Engine, given: Given, name: str) -> Key:
    named = given.references(name)
    if len(named) != 1 or not named[0].startswith("Patient/"):
        raise BadRequest(f"{name} names one Patient.", f"Parameters.parameter.where(name='{name}')")
    key = engine.store.key("Patient", named[0].removeprefix("Patient/"))
    if key is None:
        raise NotFound
    return key


async def _journaled(engine: Engine, caller: Caller, key: Key, request: Request, reason: str) -> None:
    await engine.journal.record((entry(caller, Event.RIGHTS, patient=key.patient, request=request, reason=reason),))
