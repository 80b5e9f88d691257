"""What the service does by itself is named on the auditors' desk."""

import httpx

from liaison.auth.access import internal
from liaison.auth.access.internal import INTERNALS
from liaison.fhir.store.contract import Request
from liaison.services.pages.audit.tasks_said import TASKS

from ...oauth.conftest import Place
from ..browsing import text


def test_each_task_of_the_service_has_its_words() -> None:
    assert {one.name for one in INTERNALS.values()} == TASKS.keys()
    assert len(set(TASKS.values())) == len(TASKS)


async def test_what_two_tasks_do_at_one_moment_are_two_visits(place: Place, officer: httpx.AsyncClient) -> None:
    """None has a person, a structure or a role of its own by which they could be told apart."""
    engine, key = place.house.engine, place.house.store.key("Patient", place.patient)
    assert key is not None
    for name in ("deaths", "identity"):
        task = await internal.open_session(place.house.database.writing, name, of=key.patient)
        assert (await engine.handle(task, Request("GET", f"Patient/{place.patient}"))).status == 200

    shown = text(await officer.get(f"/journal/dossiers/{place.patient}"))
    assert TASKS["deaths"] in shown
    assert TASKS["identity"] in shown
