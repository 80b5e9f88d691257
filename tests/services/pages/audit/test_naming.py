"""The name behind the number of a record: with a reason, in one answer, told to the journal."""

import httpx
import pytest

from ...oauth.conftest import Place
from ..browsing import say, text
from .conftest import patient_key

REASON = {"reason": "Signalement", "more": "Plainte 12"}
COUNT = "select count(*) from journal_entry where event = 50 and patient = $1"


async def test_the_name_is_read_with_a_reason_that_the_journal_keeps(place: Place, officer: httpx.AsyncClient) -> None:
    reading, about = place.house.database.reading, patient_key(place).patient
    path = f"/journal/dossiers/{place.patient}/nom"
    asked = await officer.get(path)
    before = await reading.fetchval(COUNT, about)
    answer = await say(officer, path, **REASON)
    after = await reading.fetchval(COUNT, about)
    line = await officer.get(f"/journal/export.csv?dossier={place.patient}")

    assert "LE GOFF" not in asked.text
    assert "Patient LE GOFF" in text(answer)
    assert "1950" in text(answer)
    assert after == before + 1
    assert "LE GOFF" not in line.text
    assert "Signalement. Plainte 12" in text(await officer.get("/journal/recherche?role=dpo"))
    assert "LE GOFF" not in (await officer.get(f"/journal/dossiers/{place.patient}")).text


@pytest.mark.parametrize(
    "form",
    [{"reason": "Signalement", "more": " "}, {"reason": "Curiosité", "more": "x"}],
    ids=["no words", "other reason"],
)
async def test_without_a_reason_there_is_no_name(
    place: Place, officer: httpx.AsyncClient, form: dict[str, str]
) -> None:
    answer = await say(officer, f"/journal/dossiers/{place.patient}/nom", **form)

    assert answer.status_code == 400
    assert "LE GOFF" not in answer.text


async def test_a_record_that_the_officer_does_not_answer_for_has_none(place: Place, officer: httpx.AsyncClient) -> None:
    assert (await officer.get(f"/journal/dossiers/{place.other_patient}/nom")).status_code == 404
    shown = f"/journal/dossiers/{place.patient}/nom"
    refused = await say(officer, shown, f"/journal/dossiers/{place.other_patient}/nom", **REASON)
    assert refused.status_code == 404


@pytest.mark.parametrize("who", ["nurse", "patient", "admin"])
async def test_names_behind_numbers_are_for_officers(place: Place, who: str) -> None:
    async with place.signed_in(who) as browser:
        assert (await browser.get(f"/journal/dossiers/{place.patient}/nom")).status_code == 404
