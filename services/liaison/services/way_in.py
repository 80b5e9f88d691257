"""The operations that start from an identity, as FHIR: Parameters in, Parameters out. Their rules: liaison.auth.access.

* `Patient/$lookup`: known or unknown, by full traits, or by birth date and at most 3 letters of the name; the reference
  only by full traits, of someone the caller sees.
* `Patient/$register`: opens the record of someone unknown.
* `Patient/$join`: comes to someone known, recognised by them or referred to the caller.
* `Patient/$emergency-access`: four hours, for a reason. `Task/[id]/$end-access` ends it.
* `Patient/[id]/$oppose`: records an opposition.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from liaison.auth.access import emergency, join, oppositions, register
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event, entry
from liaison.fhir import model
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request, Tree
from liaison.services.engine import Engine


async def look_up(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with result `known` or `unknown`."""
    scope.permit_letter(caller, "s", "Patient")
    given = _Given(request, {"patient", "birthDate", "letters"})
    if given.has("letters"):
        known = await register.lookup_initials(engine.store, caller, given.text("letters"), given.date("birthDate"))
        return _answer(200, result="known" if known else "unknown")
    found = await register.lookup(engine.store, caller, given.patient())
    return _answer(200, result="unknown" if found.created else "known", patient=found.reference)


async def register_patient(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """201 with result `created`, or 200 with `known`."""
    scope.permit_letter(caller, "c", "Patient")
    given = _Given(request, {"patient", "status", "basis", "informed", "opposed", "member"})
    patient = given.patient()
    stated = register.Registration(
        patient,
        given.code("status", "PROV"),
        given.code("basis", "recognised"),
        given.code("informed"),
        given.flag("opposed"),
        given.references("member"),
    )
    found = await register.register(engine.store, caller, stated, engine.base_url)
    if not found.created:
        return _answer(200, result="known", patient=found.reference)
    await _journal(engine, caller, Event.RIGHTS, found.reference, request, "register")
    return _answer(201, result="created", patient=found.reference)


async def join_team(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the reference; 404 for anyone unknown, not matching in every trait, or opposed."""
    scope.permit_letter(caller, "c", "CareTeam")
    given = _Given(request, {"patient", "ground", "means", "informed"})
    ground = given.code("ground", "recognised")
    if ground not in ("recognised", "referral"):
        raise BadRequest("ground is 'recognised' or 'referral'.", "Parameters.parameter.where(name='ground')")
    reference = await join.join(
        engine.store,
        caller,
        given.patient(),
        "recognised" if ground == "recognised" else "referral",
        given.code("means"),
        engine.base_url,
        informed=given.flag("informed"),
    )
    await _journal(engine, caller, Event.RIGHTS, reference, request, f"join: {ground}")
    return _answer(200, result="joined", patient=reference)


async def emergency_access(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the patient, the task of the review list and the end; the session is for the edge to hand over."""
    scope.permit_letter(caller, "r", "Patient")
    given = _Given(request, {"patient", "reason"})
    reason = given.text("reason")
    opened = await emergency.open_access(
        engine.store, caller, given.patient(), reason, engine.base_url, scope=await _scope_of(engine, caller)
    )
    await _journal(engine, caller, Event.EMERGENCY, opened.patient, request, reason)
    return _answer(
        200, result="opened", patient=opened.patient, task=opened.task, until=opened.until.isoformat(timespec="seconds")
    )


async def end_access(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """204; 404 for what the caller did not open."""
    key = engine.store.key("Task", where.id_)
    if key is None:
        raise NotFound
    await emergency.end_access(engine.store, caller, key, engine.base_url)
    return Answer(204)


async def oppose(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """201 with the Consent that is now in force."""
    given = _Given(request, {"against", "emergency", "means"})
    key = engine.store.key("Patient", where.id_)
    if key is None:
        raise NotFound
    against = given.references("against")
    stated = oppositions.Opposition(against[0] if against else "", given.flag("emergency"), given.code("means", "oral"))
    consent = await oppositions.oppose(engine.store, caller, key, stated, engine.base_url)
    await _journal(engine, caller, Event.RIGHTS, f"Patient/{where.id_}", request, "opposition")
    return _answer(201, result="recorded", consent=consent)


async def _scope_of(engine: Engine, caller: Caller) -> str:
    """An emergency session is bounded like the one it was asked in."""
    query = "select scope from access_session where session = $1"
    return str(await engine.store.database.reading.fetchval(query, caller.session))


async def _journal(engine: Engine, caller: Caller, event: Event, reference: str, request: Request, reason: str) -> None:
    key = engine.store.key("Patient", reference.removeprefix("Patient/"))
    patient = key.patient if key else 0
    await engine.journal.record((entry(caller, event, patient=patient, request=request, reason=reason),))


def _answer(status: int, **parts: str) -> Answer:
    parameter: list[Tree] = []
    for name, value in parts.items():
        if name == "result":
            parameter.append({"name": name, "valueCode": value})
        elif name == "until":
            parameter.append({"name": name, "valueInstant": value})
        elif value:
            parameter.append({"name": name, "valueReference": {"reference": value}})
    return Answer(status, orjson.dumps({"resourceType": "Parameters", "parameter": parameter}))


class _Given:
    """The Parameters of a request; an unknown name is refused rather than ignored."""

    def __init__(self, request: Request, known: set[str]) -> None:
        if request.method != "POST":
            raise BadRequest("Call this operation with POST and a Parameters resource.")
        tree = model.read(request.body)
        if tree.get("resourceType") != "Parameters":
            raise BadRequest("A Parameters resource is expected.", "Parameters")
        self._parts: dict[str, list[Mapping[str, Any]]] = {}
        for part in tree.get("parameter") or ():
            name = str(part.get("name"))
            if name not in known:
                raise BadRequest(f"There is no parameter '{name[:64]}' here.", "Parameters.parameter.name")
            self._parts.setdefault(name, []).append(part)

    def patient(self) -> Tree:
        given = self._parts.get("patient", [])
        tree = given[0].get("resource") if len(given) == 1 else None
        if not isinstance(tree, dict) or tree.get("resourceType") != "Patient":
            raise BadRequest("patient is required: a Patient resource.", "Parameters.parameter.where(name='patient')")
        model.validate(tree, "Patient")
        return tree

    def code(self, name: str, missing: str = "") -> str:
        return self._value(name, ("valueCode", "valueString"), missing)

    def text(self, name: str) -> str:
        return self._value(name, ("valueString",), "")

    def _value(self, name: str, elements: tuple[str, ...], missing: str) -> str:
        for part in self._parts.get(name, ()):
            for element in elements:
                if isinstance(value := part.get(element), str):
                    return value
            raise BadRequest(f"{name} has a {elements[0]}.", f"Parameters.parameter.where(name='{name}')")
        return missing

    def has(self, name: str) -> bool:
        return name in self._parts

    def date(self, name: str) -> str:
        """A whole day, as FHIR writes it."""
        value = self._value(name, ("valueDate",), "")
        try:
            if len(value) != 10:
                raise ValueError
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise BadRequest(
                f"{name} is a whole date: YYYY-MM-DD.", f"Parameters.parameter.where(name='{name}')"
            ) from None

    def flag(self, name: str) -> bool:
        return any(part.get("valueBoolean") is True for part in self._parts.get(name, ()))

    def references(self, name: str) -> list[str]:
        found = []
        for part in self._parts.get(name, ()):
            reference = (part.get("valueReference") or {}).get("reference")
            if not isinstance(reference, str):
                raise BadRequest(f"{name} has a valueReference.", f"Parameters.parameter.where(name='{name}')")
            found.append(reference)
        return found
