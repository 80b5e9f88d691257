"""The token of a session of purpose ETREAT, and the Parameters that carry it: emergency access and regulated calls.

A token lives five minutes (rfc9068.LIFETIME). It leaves once the journal holds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from liaison.auth.caller import Caller
from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import SigningKeys
from liaison.fhir.store.contract import Answer
from liaison.services.engine import Engine
from liaison.services.parameters import answered


@dataclass(frozen=True, slots=True)
class Issuer:
    """What signs tokens: the authorization server's keys and its name."""

    keys: SigningKeys
    name: str

    async def answer(
        self,
        engine: Engine,
        caller: Caller,
        session: int,
        until: datetime,
        *,
        patient: str,
        task: str,
        also: Sequence[str] = (),
    ) -> Answer:
        """200 with the patient, the task, the end, and a token of the session; `also`: other records that it reads."""
        now = int(engine.store.database.clock.seconds())
        seconds = min(rfc9068.LIFETIME, int(until.timestamp()) - now)
        client_id = await engine.store.database.reading.fetchval(
            "select client_id from client where client = $1", caller.client
        )
        token = await rfc9068.issue(
            self.keys,
            issuer=self.name,
            audience=engine.base_url,
            subject=str(caller.account),
            client_id=client_id or "",
            session=session,
            seconds=seconds,
            bound_to=caller.bound_to,
        )
        return answered(
            200,
            result="opened",
            patient=patient,
            task=task,
            until=until.isoformat(timespec="seconds"),
            access_token=token,
            token_type=caller.bound_to.token_type,
            expires=datetime.fromtimestamp(now + seconds, UTC).isoformat(timespec="seconds"),
            also=also,
        )


async def scope_of(engine: Engine, caller: Caller) -> str:
    """The scopes of the session that asks: the new one is bounded like it."""
    query = "select scope from access_session where session = $1"
    return str(await engine.store.database.reading.fetchval(query, caller.session))
