"""Emergency access as FHIR operations. Its rules: liaison.auth.access.emergency.

* `Patient/$emergency-access`: four hours, for a reason; answers with the first token.
* `Task/[id]/$emergency-token`: the next token, for the same person, while the access is open.
* `Task/[id]/$end-access`: ends it, and its tokens with it.
"""

from collections.abc import Mapping

from liaison.auth.access import emergency
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import OUTCOME_REFUSED, Event, entry
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.engine import Engine, Operation
from liaison.services.operation_definitions import EMERGENCY_ACCESS
from liaison.services.parameters import Given, posted_to
from liaison.services.urgent_tokens import Issuer, scope_of
from liaison.services.way_in import journaled


class EmergencyAccess:
    """The operations, built with what signs tokens."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {
            "Patient/$emergency-access": self.open,
            "Task/*/$emergency-token": self.renew,
            "Task/*/$end-access": end_access,
        }

    async def open(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with the patient, the task of the review list, the end, and a token for the record."""
        scope.permit_letter(caller, "r", "Patient")
        given = Given(request, EMERGENCY_ACCESS)
        reason = given.text("reason")
        try:
            opened = await emergency.open_access(
                engine.store, caller, given.patient(), reason, engine.base_url, scope=await scope_of(engine, caller)
            )
        except emergency.NotOpened as refused:
            await self._journal_refusal(engine, caller, request, reason, refused.about)
            raise
        for patient in (opened.patient, *opened.also):
            await journaled(engine, caller, Event.EMERGENCY, patient, request, reason)
        return await self._answer(engine, caller, opened)

    async def _journal_refusal(self, engine: Engine, caller: Caller, request: Request, reason: str, about: str) -> None:
        """That it was tried, why, and about whom where there is somebody: for officers, like every refusal."""
        told = entry(
            caller,
            Event.EMERGENCY,
            request=request,
            reason=reason,
            outcome=OUTCOME_REFUSED,
            status=404,
            requested=("Patient", about.removeprefix("Patient/")) if about else ("", ""),
        )
        await engine.journal.record((told,))

    async def renew(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with another token; 404 for what the caller did not open, or is over."""
        scope.permit_letter(caller, "r", "Patient")
        task = posted_to(engine.store, "Task", where, request)
        opened = await emergency.continue_access(
            engine.store, caller, task, engine.base_url, scope=await scope_of(engine, caller)
        )
        for patient in (opened.patient, *opened.also):
            await journaled(engine, caller, Event.TOKEN, patient, request, "emergency access")
        return await self._answer(engine, caller, opened)

    async def _answer(self, engine: Engine, caller: Caller, opened: emergency.Opened) -> Answer:
        return await self._issuer.answer(
            engine, caller, opened.session, opened.until, patient=opened.patient, task=opened.task, also=opened.also
        )


async def end_access(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """204; 404 for what the caller did not open."""
    await emergency.end_access(engine.store, caller, posted_to(engine.store, "Task", where, request), engine.base_url)
    return Answer(204)
