"""What a visitor finds under « À revoir »: an attempt at night without a link, and many records in one hour; and a doctor of the
same name as one of his patients, for whoever dates the notice to staff and turns that rule on. Beside them two ordinary visits,
which two people who have an account here may ask about.

Real requests by people of the territory, answered and refused by their rights; only the moment is of the day before. The job
finds them by the rules as it would anyone's, once the sandbox serves.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Final

import asyncpg

from liaison.auth import sessions
from liaison.auth.caller import Caller
from liaison.auth.people import accounts
from liaison.auth.people.acting import in_role
from liaison.auth.people.roles import held_by
from liaison.auth.sessions import BROWSER
from liaison.auth.unusual import choices
from liaison.auth.unusual.openings import PARIS
from liaison.fhir.store.contract import Request
from liaison.services.house import House
from liaison.services.sandbox.load import Loaded
from liaison.services.sandbox.past import acting_at

BURST: Final = 8
"""Records in an hour, so that a small territory shows it."""
ON: Final[Mapping[str, Mapping[str, int]]] = {
    "no-relation": {},
    "night": {},
    "burst": {"records": BURST},
    "after-replacement": {},
    "deceased": {},
    "oneself": {},
}
CURIOUS: Final = "physio"
ABOUT: Final = "emergency_objection"
ORDINARY: Final = {"pharmacist": "patient_a", "nurse": "guarded"}
"""By people of their teams: what the person, or who represents them, reads on « Qui a vu mon dossier ? »."""
BUSY: Final = "gp_replaced"
_WEEK: Final = timedelta(days=7)


async def show(house: House, loaded: Loaded) -> None:
    """Turns the rules on, and does what they find."""
    now = (await house.database.now()).astimezone(PARIS)
    yesterday = now.date() - timedelta(days=1)
    async with house.database.writing.acquire() as connection, connection.transaction():
        for name, values in ON.items():
            await choices.choose(connection, name, active=True, since=now.date() - _WEEK, parameters=values, by=0)
    wanted = {patient.key: reference for patient, reference in loaded.patients}
    theirs = [reference for patient, reference in loaded.patients if BUSY in patient.team]
    await _open(house, CURIOUS, [wanted[ABOUT]], datetime.combine(yesterday, time(23, 14), PARIS))
    await _open(house, BUSY, theirs, datetime.combine(yesterday, time(12, 40), PARIS))
    for reader, record in ORDINARY.items():
        await _open(house, reader, [wanted[record]], datetime.combine(yesterday, time(18, 20), PARIS))


async def _open(house: House, key: str, records: Iterable[str], at: datetime) -> None:
    async with house.database.writing.acquire() as connection:
        caller = await caller_of(connection, key)
        try:
            async with acting_at(house, at) as engine:
                for reference in records:
                    await engine.handle(caller, Request("GET", reference, ""))
        finally:
            await sessions.end_session(connection, caller.session)


async def caller_of(connection: asyncpg.Connection, key: str) -> Caller:
    """Who has just signed in."""
    account = await accounts.by_username(connection, key.replace("_", "-"))
    assert account is not None  # opened just before
    [role, *_] = await held_by(connection, account.person.res)
    session = await sessions.open_session(connection, in_role(account, role), BROWSER, 600)
    caller = await sessions.caller_of(connection, session)
    assert caller is not None
    return caller
