"""« Mes patients » of somebody who has more of them than the list shows."""

import orjson
import pytest

from liaison.auth.access import internal
from liaison.fhir.store.contract import Request
from liaison.protocols import codes
from liaison.services.pages.clinician import patients

from ...oauth.conftest import Place


async def test_a_list_that_is_cut_still_shows_whoever_has_an_alert(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patients, "MOST", 0)
    alert = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": codes.ALERT_LEVEL, "code": "RED"}]},
        "for": {"reference": f"Patient/{place.patient}"},
        "description": "Le souffle : plus court que d'habitude",
    }
    async with place.signed_in() as browser:
        before = (await browser.get("/dossiers")).text
        maker = await internal.open_session(place.house.database.writing, "sandbox")
        answer = await place.house.engine.handle(maker, Request("POST", "Task", "", orjson.dumps(alert)))
        assert answer.status == 201, answer.body
        after = (await browser.get("/dossiers")).text

    assert f"/dossiers/{place.patient}" not in before
    assert f"/dossiers/{place.patient}" in after
    assert "1 alerte" in after
    assert "La liste est longue" in after
