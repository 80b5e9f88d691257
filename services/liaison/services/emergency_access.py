"""Emergency access as FHIR operations. Its rules: liaison.auth.access.emergency.

* `Patient/$emergency-access`: four hours, for a reason; answers with the first token.
* `Task/[id]/$emergency-token`: the next token, for the same person, while the access is open.
* `Task/[id]/$end-access`: ends it, and its tokens with it.

A token lives five minutes (rfc9068.LIFETIME) and names a session of the access. It leaves once the journal holds it.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from liaison.auth.access import emergency
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import SigningKeys
from liaison.fhir.errors import MethodNotAllowed, NotFound
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.services.engine import Engine, Operation
from liaison.services.parameters import Given, answered
from liaison.services.way_in import journaled

_POST: Final = "POST"


class EmergencyAccess:
    """The operations, built with what signs tokens: the authorization server's keys and its name."""

    def __init__(self, keys: SigningKeys, issuer: str) -> None:
        self._keys = keys
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
        given = Given(request, {"patient", "reason"})
        reason = given.text("reason")
        opened = await emergency.open_access(
            engine.store, caller, given.patient(), reason, engine.base_url, scope=await _scope_of(engine, caller)
        )
        await journaled(engine, caller, Event.EMERGENCY, opened.patient, request, reason)
        return await self._answer(engine, caller, opened)

    async def renew(self, engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        """200 with another token; 404 for what the caller did not open, or is over."""
        task = _task(engine, where, request)
        scope.permit_letter(caller, "r", "Patient")
        opened = await emergency.continue_access(engine.store, caller, task, scope=await _scope_of(engine, caller))
        await journaled(engine, caller, Event.TOKEN, opened.patient, request, "emergency access")
        return await self._answer(engine, caller, opened)

    async def _answer(self, engine: Engine, caller: Caller, opened: emergency.Opened) -> Answer:
        now = int(time.time())
        seconds = min(rfc9068.LIFETIME, int(opened.until.timestamp()) - now)
        client_id = await engine.store.database.reading.fetchval(
            "select client_id from client where client = $1", caller.client
        )
        token = await rfc9068.issue(
            self._keys,
            issuer=self._issuer,
            audience=engine.base_url,
            subject=str(caller.account),
            client_id=client_id or "",
            session=opened.session,
            seconds=seconds,
        )
        return answered(
            200,
            result="opened",
            patient=opened.patient,
            task=opened.task,
            until=opened.until.isoformat(timespec="seconds"),
            access_token=token,
            token_type="Bearer",  # noqa: S106  # the scheme of RFC 6750, no secret
            expires=datetime.fromtimestamp(now + seconds, UTC).isoformat(timespec="seconds"),
        )


async def end_access(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """204; 404 for what the caller did not open."""
    await emergency.end_access(engine.store, caller, _task(engine, where, request), engine.base_url)
    return Answer(204)


def _task(engine: Engine, where: Route, request: Request) -> Key:
    if request.method != _POST:
        raise MethodNotAllowed("Call this operation with POST.", (_POST,))
    key = engine.store.key("Task", where.id_)
    if key is None:
        raise NotFound
    return key


async def _scope_of(engine: Engine, caller: Caller) -> str:
    """An emergency session is bounded like the one it was asked in."""
    query = "select scope from access_session where session = $1"
    return str(await engine.store.database.reading.fetchval(query, caller.session))
