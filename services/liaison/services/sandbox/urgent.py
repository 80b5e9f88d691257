"""The emergency access of last night that waits for its review: opened under its own rules, read, and over.

As `unusual` does, what happened is real but for its moment: the auditor finds in the journal what the task says was opened, and
the person who opened it on their page.
"""

from datetime import datetime, time, timedelta
from typing import Any, Final

from liaison.auth import sessions
from liaison.auth.access import emergency, internal, vocabulary
from liaison.auth.access.emergency import Opened
from liaison.auth.journal.entry import Event
from liaison.auth.people.notices import Kind
from liaison.auth.sessions import BROWSER
from liaison.auth.unusual.openings import PARIS
from liaison.fhir.model import dump, reread
from liaison.fhir.store.contract import Request
from liaison.services.engine import Engine
from liaison.services.house import House
from liaison.services.sandbox.load import Loaded
from liaison.services.sandbox.past import acting_at
from liaison.services.sandbox.unusual import caller_of
from liaison.services.way_in import journaled

DOCTOR: Final = "on_call_doctor"
ABOUT: Final = "emergency_review"
REASON: Final = "Personne confuse, trouvée seule par les pompiers, hors d'état de s'exprimer."
READ: Final = ("Condition", "MedicationRequest", "AllergyIntolerance")


async def show(house: House, loaded: Loaded) -> None:
    now = (await house.database.now()).astimezone(PARIS)
    at = datetime.combine(now.date() - timedelta(days=1), time(22, 40), PARIS)
    stated = next(patient.identity for patient, _ in loaded.patients if patient.key == ABOUT)
    asked = Request("POST", "Patient/$emergency-access", "")
    async with house.database.writing.acquire() as connection:
        doctor = await caller_of(connection, DOCTOR)
        async with acting_at(house, at) as engine:
            opened = await emergency.open_access(engine.store, doctor, stated, REASON, engine.base_url, scope=BROWSER)
            await journaled(engine, doctor, Event.EMERGENCY, opened.patient, asked, REASON)
            reader = await sessions.caller_of(connection, opened.session)
            assert reader is not None  # opened just before
            for type_ in READ:
                read = await engine.handle(reader, Request("GET", type_, f"patient={opened.patient}"))
                assert read.status == 200, type_
            await _dated(house, engine, opened, at)
        for session in (opened.session, doctor.session):
            await sessions.end_session(connection, session)


async def _dated(house: House, engine: Engine, opened: Opened, at: datetime) -> None:
    """The task, the letter to the person and the notice of it say what the journal says. It was opened now, since rights are those
    of now: an access of last night gives none any more at another hour of the day."""
    start, end = (moment.isoformat(timespec="seconds") for moment in (at, at + emergency.LASTS))
    maker = await internal.open_session(house.database.writing, "sandbox")

    async def ask(method: str, path: str, query: str = "", body: bytes = b"") -> dict[str, Any]:
        answer = await engine.handle(maker, Request(method, path, query, body))
        assert answer.status == 200, answer.body
        return reread(answer.body)

    try:
        task = await ask("GET", opened.task)
        limits = {**task["restriction"], "period": {"start": start, "end": end}}
        await ask("PUT", opened.task, "", dump({**task, "authoredOn": start, "restriction": limits}))
        told = await ask("GET", "Communication", f"subject={opened.patient}&category={vocabulary.REVIEW}|notice")
        for one in (entry["resource"] for entry in told["entry"]):
            await ask("PUT", f"Communication/{one['id']}", "", dump({**one, "sent": start}))
    finally:
        await internal.close_session(house.database.writing, maker)
    key = house.store.key(*opened.task.split("/"))
    assert key is not None
    await house.database.writing.execute(
        "update notice set at = $1 where kind = $2 and about = $3", at, Kind.EMERGENCY, key.res
    )
