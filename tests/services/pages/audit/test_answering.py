"""The answer to a patient: what their own page would show, and nothing more."""

import httpx

from liaison.auth.access.relations import Relation
from liaison.auth.journal.entry import Event
from liaison.fhir.definitions import kind_of

from ...oauth.conftest import Place
from ..browsing import text
from ..sheets.test_printing import words
from .conftest import by_nurse, patient_key


async def test_it_shows_what_the_person_reads_and_hides_what_is_hidden_from_them(
    place: Place, officer: httpx.AsyncClient
) -> None:
    hidden = (kind_of("Communication"), 4242, 1, 2, int(Relation.TEAM))  # an item that they may not see
    await place.house.journal.record([await by_nurse(place, Event.READ, items=(hidden,), role=77)])
    whole = text(await officer.get(f"/journal/dossiers/{place.patient}"))
    answer = text(await officer.get(f"/journal/reponses/{place.patient}"))
    async with place.signed_in("patient") as person:
        own = text(await person.get(f"/journal/dossiers/{place.patient}"))

    assert "Message" in whole
    for shown in (answer, own):
        assert "Camille NURSE" in shown
        assert "Message" not in shown


async def test_both_are_printed(place: Place, officer: httpx.AsyncClient) -> None:
    answer = await officer.get(f"/journal/reponses/{place.patient}/pdf")
    async with place.signed_in("patient") as person:
        own = await person.get(f"/journal/dossiers/{place.patient}/pdf")
        other = await person.get(f"/journal/dossiers/{place.other_patient}/pdf")

    for paper in (answer, own):
        assert paper.headers["content-type"] == "application/pdf"
        assert "Camille NURSE, Infirmier" in words(paper.content)
        assert "lus" in words(paper.content)
    assert other.status_code == 404


async def test_the_answer_is_an_entry_and_leaves_no_session(place: Place, officer: httpx.AsyncClient) -> None:
    reading = place.house.database.reading
    count = "select count(*) from journal_entry where event = 50 and patient = $1"
    before = await reading.fetchval(count, patient_key(place).patient)
    await officer.get(f"/journal/reponses/{place.patient}")

    assert await reading.fetchval(count, patient_key(place).patient) == before + 1
    open_ = "select count(*) from access_session where only_patient is not null and ended_at is null"
    assert await reading.fetchval(open_) == 0


async def test_who_does_not_answer_for_the_record_has_no_answer(place: Place, officer: httpx.AsyncClient) -> None:
    assert (await officer.get(f"/journal/reponses/{place.other_patient}")).status_code == 404
    assert (await officer.get("/journal/reponses/nobody")).status_code == 404
    await place.house.database.writing.execute("update relation set organization = 1, principal = 1")
    assert (await officer.get(f"/journal/reponses/{place.patient}")).status_code == 404
