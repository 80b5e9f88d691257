"""The name behind the number of a record: with a reason, in one answer, told to the journal."""

import base64
import json
import re
from html import unescape

import httpx
import pytest

from liaison.auth.journal.entry import Event

from ...oauth.conftest import Place
from ..browsing import say, text
from .conftest import by_nurse, patient_key

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


async def typed(place: Place, officer: httpx.AsyncClient) -> str:
    """The page of a line of the journal: the nurse asked for somebody by name and birth date."""
    question = await by_nurse(place, Event.SEARCH, patient=0, method="GET", path="Patient", returned=1, total=1)
    asked = question._replace(query="family=LE%20GOFF&birthdate=1950-01-02&_count=5")
    await place.house.journal.record([asked])
    found = await officer.get("/journal/recherche?role=nurse")
    for line in re.findall(r'href="(/journal/lignes/[^"]+)"', found.text):
        if "_count=5" in query_of((await officer.get(line)).text):
            return str(line)
    raise AssertionError("no such line")


def query_of(page: str) -> str:
    """What the AuditEvent of a page says was asked; '' for none."""
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert shown
    found = [one["query"] for one in json.loads(unescape(shown[1])).get("entity", []) if "query" in one]
    return base64.b64decode(found[0]).decode() if found else ""


async def test_who_was_asked_for_is_read_with_a_reason_too(place: Place, officer: httpx.AsyncClient) -> None:
    line = await typed(place, officer)
    shown = await officer.get(line)
    exported = await officer.get("/journal/export.ndjson?role=nurse")

    assert query_of(shown.text) == "GET Patient?family=***&birthdate=***&_count=5"
    assert "Ce qui a été demandé GET Patient?family=***&birthdate=***&_count=5" in text(shown)
    assert base64.b64encode(b"GET Patient?family=***&birthdate=***&_count=5").decode() in exported.text
    assert (await say(officer, line, reason="Signalement", more=" ")).status_code == 400
    assert "Plainte 12" not in text(await officer.get("/journal/recherche?role=dpo"))

    answer = await say(officer, line, **REASON)

    assert "GET Patient?family=LE GOFF&birthdate=1950-01-02&_count=5" in text(answer)
    assert "Signalement. Plainte 12" in text(await officer.get("/journal/recherche?role=dpo"))


async def test_a_question_that_names_nobody_asks_for_no_reason(place: Place, officer: httpx.AsyncClient) -> None:
    found = await officer.get(f"/journal/dossiers/{place.patient}")
    [line, *_] = re.findall(r'href="(/journal/lignes/[^"]+)"', found.text)

    assert "avec un motif" not in text(await officer.get(line))
    assert (await say(officer, line, **REASON)).status_code == 404
