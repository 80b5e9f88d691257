"""Calls to the telephone platform as FHIR operations. Their rules: liaison.auth.access.calls.

* `Patient/$open-call`: from the identity that is told on the telephone; a regulating doctor gets a token with it.
* `Task/[id]/$call-token`: that doctor's next token, while the call is open.
* `Task/[id]/$end-call`: ends it, and what it opened; `note` says what was decided.
"""

from collections.abc import Mapping

from liaison.auth.access import calls
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.fhir.errors import BadRequest
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.engine import Engine, Operation
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
        return {"Patient/$open-call": self.open, "Task/*/$call-token": self.renew, "Task/*/$end-call": end}

    async def open(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with the patient, the task and when the call ends by itself."""
        scope.permit_letter(caller, "r", "Patient")
        given = Given(request, {"patient", "reason", "regulator"})
        named = given.references("regulator")
        if len(named) > 1:
            raise BadRequest(
                "One regulating doctor answers for a call.", "Parameters.parameter.where(name='regulator')"
            )
        opened = await calls.open_call(
            engine.store,
            caller,
            given.patient(),
            given.text("reason"),
            named[0] if named else "",
            engine.base_url,
            scope=await scope_of(engine, caller),
        )
        event = Event.EMERGENCY if opened.session else Event.RIGHTS
        await journaled(engine, caller, event, opened.patient, request, REASON)
        return await self._answer(engine, caller, opened)

    async def renew(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with another token; 404 for what the caller did not open as a regulating doctor, or is over."""
        task = posted_to(engine.store, "Task", where, request)
        scope.permit_letter(caller, "r", "Patient")
        opened = await calls.continue_call(engine.store, caller, task, scope=await scope_of(engine, caller))
        await journaled(engine, caller, Event.TOKEN, opened.patient, request, REASON)
        return await self._answer(engine, caller, opened)

    async def _answer(self, engine: Engine, caller: Caller, opened: calls.Opened) -> Answer:
        parts = {"patient": opened.patient, "task": opened.task}
        if opened.session:
            return await self._issuer.answer(engine, caller, opened.session, opened.until, **parts)
        return answered(200, result="opened", until=opened.until.isoformat(timespec="seconds"), **parts)


async def end(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """204; 404 for what the caller did not open."""
    task = posted_to(engine.store, "Task", where, request)
    note = Given(request, {"note"}).text("note") if request.body else ""
    patient = await calls.end_call(engine.store, caller, task, note, engine.base_url)
    await journaled(engine, caller, Event.RIGHTS, patient, request, f"{REASON}: end")
    return Answer(204)
