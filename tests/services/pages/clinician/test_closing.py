"""A problem that is over is closed on its page with its day, by whoever may amend it, and reopened."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from ...oauth.conftest import Place, field
from ..browsing import text, today
from ..workshops.test_sessions import ask, found

STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
BEGAN = "2020-05"


@pytest.fixture
async def condition(place: Place) -> dict[str, Any]:
    """What another software wrote."""
    return dict(await ask(place, "POST", "Condition", noted(place.patient)))


@pytest.fixture
async def nurse(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        yield browser


def noted(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": STATUS, "code": "active"}]},
        "code": {"text": "Bronchite"},
        "subject": {"reference": f"Patient/{patient}"},
        "onsetDateTime": BEGAN,
    }


async def send(browser: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    csrf = field((await browser.get(path)).text, "csrf")
    return await browser.post(path, data={"csrf": csrf, **form})


async def test_it_is_closed_on_its_day_once_and_by_whom_is_kept(
    place: Place, nurse: httpx.AsyncClient, condition: dict[str, Any]
) -> None:
    record = f"/dossiers/{place.patient}"
    path = f"{record}/problemes/{condition['id']}"
    assert path in (await nurse.get(record)).text

    for day in (today(), "2020-05-31"):  # the second says nothing any more
        assert (await send(nurse, path, act="close", until=day)).status_code == 303

    kept = await ask(place, "GET", f"Condition/{condition['id']}")
    assert (kept["clinicalStatus"]["coding"][0]["code"], kept["abatementDateTime"]) == ("resolved", today())
    assert (kept["code"], kept["onsetDateTime"], kept["meta"]["versionId"]) == (condition["code"], BEGAN, "2")
    [provenance] = await found(place, "Provenance", f"target=Condition/{condition['id']}")
    assert provenance["agent"][0]["who"]["reference"].startswith("PractitionerRole/")
    assert path not in (await nurse.get(record)).text
    assert path in (await nurse.get(f"{record}/problemes")).text


async def test_it_is_reopened_without_an_end(place: Place, nurse: httpx.AsyncClient, condition: dict[str, Any]) -> None:
    record = f"/dossiers/{place.patient}"
    path = f"{record}/problemes/{condition['id']}"
    await send(nurse, path, act="close", until=today())
    assert "Ce problème est clos." in text(await nurse.get(path))

    assert (await send(nurse, path, act="reopen")).status_code == 303

    kept = await ask(place, "GET", f"Condition/{condition['id']}")
    assert (kept["clinicalStatus"]["coding"][0]["code"], "abatementDateTime" in kept) == ("active", False)
    assert path in (await nurse.get(record)).text


@pytest.mark.parametrize("until", ["", "hier", "2020-04-30", "tomorrow"])
async def test_a_day_that_cannot_be_is_said(
    place: Place, nurse: httpx.AsyncClient, condition: dict[str, Any], until: str
) -> None:
    until = (date.fromisoformat(today()) + timedelta(days=1)).isoformat() if until == "tomorrow" else until
    path = f"/dossiers/{place.patient}/problemes/{condition['id']}"

    answer = await send(nurse, path, act="close", until=until)

    assert (answer.status_code, "Donnez le jour de la fin" in text(answer)) == (422, True)
    assert (await ask(place, "GET", f"Condition/{condition['id']}"))["meta"]["versionId"] == "1"


async def test_it_is_reached_from_its_own_record_alone(
    place: Place, nurse: httpx.AsyncClient, condition: dict[str, Any]
) -> None:
    [team] = await found(place, "CareTeam", f"patient={place.patient}")
    await ask(place, "POST", "CareTeam", {**team, "subject": {"reference": f"Patient/{place.other_patient}"}})
    assert (await nurse.get(f"/dossiers/{place.other_patient}")).status_code == 200

    for patient, status in ((place.patient, 200), (place.other_patient, 404)):
        answer = await nurse.get(f"/dossiers/{patient}/problemes/{condition['id']}")
        assert answer.status_code == status
