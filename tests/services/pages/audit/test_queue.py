"""The queue of accesses to review: every one that waits is on it."""

import orjson
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.fhir.store.contract import Request
from liaison.services.pages.audit import reviews

from ...oauth.conftest import Place
from ..browsing import text


async def test_what_was_settled_since_hides_nothing_that_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = await internal.open_session(place.house.database.writing, "identity")
    for status, day in (("requested", "2026-11-01"), ("completed", "2026-11-02"), ("completed", "2026-11-03")):
        task = {
            "resourceType": "Task",
            "status": status,
            "intent": "order",
            "code": {"coding": [{"system": vocabulary.REVIEW, "code": "emergency-access"}]},
            "for": {"reference": f"Patient/{place.patient}"},
            "authoredOn": f"{day}T10:00:00Z",
        }
        made = await place.house.engine.handle(maker, Request("POST", "Task", "", orjson.dumps(task), {}))
        assert made.status == 201, made.body
    monkeypatch.setattr(reviews, "MOST", 1)

    async with place.signed_in("dpo") as officer:
        assert "1 accès attend votre avis" in text(await officer.get(reviews.PATH))
