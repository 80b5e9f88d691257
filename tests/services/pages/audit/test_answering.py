"""The answer to a patient: what their own page would show, and nothing more."""

import re

import httpx
import orjson

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.relations import Relation
from liaison.auth.journal.entry import Event
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import erasure
from liaison.fhir.store.contract import Request

from ...oauth.conftest import Place
from ..browsing import say, text
from ..relatives.test_relatives import guardian, send
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
    before = words((await officer.get(f"/journal/reponses/{place.patient}/pdf?avant=2000-01-01")).content)

    assert "Rien à cette période." in before
    assert "Personne n'a ouvert" not in before
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


async def test_a_record_that_was_destroyed_has_no_answer(place: Place, officer: httpx.AsyncClient) -> None:
    async with place.house.database.writing.acquire() as connection, connection.transaction():
        await erasure.erase(connection, place.house.vault, patient_key(place).patient)

    for form in ("", "/pdf", "/representant"):
        assert (await officer.get(f"/journal/reponses/{place.patient}{form}")).status_code == 404


async def test_who_does_not_answer_for_the_record_has_no_answer(place: Place, officer: httpx.AsyncClient) -> None:
    assert (await officer.get(f"/journal/reponses/{place.other_patient}")).status_code == 404
    assert (await officer.get("/journal/reponses/nobody")).status_code == 404
    await place.house.database.writing.execute("update relation set organization = 1, principal = 1")
    assert (await officer.get(f"/journal/reponses/{place.patient}")).status_code == 404


async def test_who_represents_the_person_is_told_what_they_may_read_and_the_person_all(
    place: Place, officer: httpx.AsyncClient
) -> None:
    asked = {"family": "Le Goff", "given": "Patient", "birth": "1950-02-03"}
    assert (await say(officer, "/journal/repondre", **asked)).status_code == 400
    nobody = await say(officer, "/journal/repondre", qui="representant", **asked)
    assert (nobody.status_code, "Personne ne représente" in text(nobody)) == (409, True)
    assert (await officer.get(f"/journal/reponses/{place.patient}/representant")).status_code == 404

    async with place.signed_in("nurse") as nurse:
        assert (await send(nurse, place, **guardian())).status_code == 303
    secret = {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{place.patient}"},
        "code": {"text": "Consultation"},
        "meta": {"security": [{"system": vocabulary.DATA_CLASS, "code": "MINOR"}]},
    }
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    written = await place.house.engine.handle(maker, Request("POST", "Condition", "", orjson.dumps(secret)))
    assert written.status == 201
    own = await say(officer, "/journal/repondre", qui="personne", **asked)
    theirs = await say(officer, "/journal/repondre", qui="representant", **asked)
    assert theirs.headers["location"] == own.headers["location"] + "/representant"
    for told, answer in ((True, own), (False, theirs)):
        page = await officer.get(answer.headers["location"])
        [paper] = re.findall(r'href="(/journal/reponses/[^"]*/pdf)"', page.text)
        assert ("Problème de santé" in text(page)) is told
        printed = words((await officer.get(paper)).content)
        assert ("Problème de santé" in printed) is told
        assert "Camille NURSE" in printed
        assert "par Camille DPO" in printed
