"""Calls to the telephone platform as FHIR operations. Their rules: liaison.auth.access.calls and taking_calls.

* `Patient/$open-call`: from the identity that is told on the telephone; a regulating doctor gets a token with it.
* `Task/$calls-for-me`: the open calls under a regulating doctor's responsibility; `Task/[id]/$take-call` takes one.
* `Task/[id]/$call-token`: that doctor's next token, while the call is open.
* `Task/[id]/$end-call`: ends it, and what it opened; `note` says what was decided.
"""

from collections.abc import Mapping

import orjson

from liaison.auth.access import calls, taking_calls
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.fhir.errors import MethodNotAllowed
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request, Tree
from liaison.services.engine import Engine, Operation
from liaison.services.operation_definitions import END_CALL, OPEN_CALL
from liaison.services.parameters import Given, answered, posted_to
from liaison.services.urgent_tokens import Issuer, scope_of
from liaison.services.way_in import journaled

REASON = "call to the platform"
"""In the journal: what was said on the telephone stands in the record only."""


class Calls:
    """The operations, built with what signs tokens."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {
            "Patient/$open-call": self.open,
            "Task/$calls-for-me": for_me,
            "Task/*/$take-call": self.take,
            "Task/*/$call-token": self.renew,
            "Task/*/$end-call": end,
        }

    async def open(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with the patient, the task and when the call ends by itself."""
        scope.permit_letter(caller, "r", "Patient")
        given = Given(request, OPEN_CALL)
        regulator = given.reference("regulator", "One regulating doctor answers for a call.")
        opened = await calls.open_call(
            engine.store,
            caller,
            given.patient(),
            given.text("reason"),
            regulator,
            engine.base_url,
            scope=await scope_of(engine, caller),
        )
        event = Event.EMERGENCY if opened.session else Event.RIGHTS
        await journaled(engine, caller, event, opened.patient, request, REASON)
        return await self._answer(engine, caller, opened)

    async def take(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 as for a call that the doctor opens; 404 for one that is not theirs to take."""
        scope.permit_letter(caller, "r", "Patient")
        task = posted_to(engine.store, "Task", where, request)
        bound = await scope_of(engine, caller)
        opened = await taking_calls.take_call(engine.store, caller, task, engine.base_url, scope=bound)
        await journaled(engine, caller, Event.EMERGENCY, opened.patient, request, REASON)
        return await self._answer(engine, caller, opened)

    async def renew(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with another token; 404 for what the caller did not open as a regulating doctor, or is over."""
        scope.permit_letter(caller, "r", "Patient")
        task = posted_to(engine.store, "Task", where, request)
        bound = await scope_of(engine, caller)
        opened = await calls.continue_call(engine.store, caller, task, engine.base_url, scope=bound)
        await journaled(engine, caller, Event.TOKEN, opened.patient, request, REASON)
        return await self._answer(engine, caller, opened)

    async def _answer(self, engine: Engine, caller: Caller, opened: calls.Opened) -> Answer:
        parts = {"patient": opened.patient, "task": opened.task}
        if opened.session:
            return await self._issuer.answer(engine, caller, opened.session, opened.until, **parts)
        return answered(200, result="opened", until=opened.until.isoformat(timespec="seconds"), **parts)


async def for_me(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with a part `call` for each: what it is about and who received it. Whose record it is, taking it says."""
    if request.method != "POST":
        raise MethodNotAllowed("Call this operation with POST.", ("POST",))
    scope.permit_letter(caller, "r", "Task")
    handed = await taking_calls.handed_to(engine.store, caller, engine.base_url)
    for task in handed:
        await journaled(engine, caller, Event.OPERATION, str(task["for"]["reference"]), request, f"{REASON}: list")
    parts = [{"name": "call", "part": _handed(task)} for task in handed]
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": parts}))


def _handed(task: Tree) -> list[Tree]:
    return [
        {"name": "task", "valueReference": {"reference": f"Task/{task['id']}"}},
        {"name": "received-by", "valueReference": task["requester"]},
        {"name": "opened", "valueDateTime": task["authoredOn"]},
        {"name": "until", "valueInstant": task["restriction"]["period"]["end"]},
        {"name": "reason", "valueString": task["reasonCode"]["text"]},
    ]


async def end(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """204; 404 for what the caller did not open."""
    task = posted_to(engine.store, "Task", where, request)
    note = Given(request, END_CALL).text("note") if request.body else ""
    patient = await calls.end_call(engine.store, caller, task, note, engine.base_url)
    await journaled(engine, caller, Event.RIGHTS, patient, request, f"{REASON}: end")
    return Answer(204)
