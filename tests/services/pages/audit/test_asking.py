"""« Je ne comprends pas cet accès »: asked by the person, answered by the data protection officer, kept for both."""

import html
import re

import httpx
import pytest

from liaison.auth.journal import questions
from liaison.fhir.store import erasure

from ...oauth.conftest import Place
from ..browsing import say, text
from .conftest import patient_key

LIST = "/journal/questions"


async def question_address(place: Place, person: httpx.AsyncClient) -> str:
    """Where the person asks about the nurse's visit."""
    shown = (await person.get(f"/journal/dossiers/{place.patient}")).text
    items = [one for one in re.findall(r"<li.*?</li>", shown, re.DOTALL) if "Camille NURSE" in one]
    address = re.search(r'href="([^"]+/question\?acces=[^"]+)"', items[0])
    assert address
    return html.unescape(address[1])


async def ask(place: Place, words: str = "Je ne la connais pas.") -> None:
    async with place.signed_in("patient") as person:
        address = await question_address(place, person)
        answer = await say(
            person, address, address.partition("?")[0], acces=address.partition("acces=")[2], question=words
        )
        assert answer.headers["location"] == f"/journal/dossiers/{place.patient}#questions"


async def test_a_question_reaches_the_officer_and_its_answer_the_person(
    place: Place, officer: httpx.AsyncClient
) -> None:
    await ask(place)
    notice = text(await officer.get("/avis"))
    listed = await officer.get(LIST)
    address = re.search(rf'href="({LIST}/\d+)"', listed.text)
    assert address
    shown = text(await officer.get(address[1]))
    empty = await say(officer, address[1], answer=" ")
    await say(officer, address[1], answer="C'est votre infirmière du lundi.")
    async with place.signed_in("patient") as person:
        own = text(await person.get(f"/journal/dossiers/{place.patient}"))

    assert "Une personne ne comprend pas un accès à son dossier" in notice
    assert "1 question attend votre réponse" in text(listed)
    assert "Je ne la connais pas." in shown
    assert "Camille NURSE" in shown
    assert "LE GOFF" not in listed.text + shown
    assert empty.status_code == 400
    assert "C'est votre infirmière du lundi." in own
    assert "Question envoyée" in own
    assert "0 question attend" in text(await officer.get(LIST))
    assert "1 à lire" not in text(await officer.get("/avis"))


async def test_an_answer_is_kept_as_it_was_given(place: Place, officer: httpx.AsyncClient) -> None:
    await ask(place)
    address = re.findall(rf"{LIST}/\d+", (await officer.get(LIST)).text)[0]
    form = (await officer.get(address)).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', form)
    assert csrf
    await say(officer, address, answer="Première")
    again = await officer.post(address, data={"csrf": csrf[1], "answer": "Seconde"})

    assert again.status_code in (303, 400)
    shown = text(await officer.get(address))
    assert "Première" in shown
    assert "Seconde" not in shown


async def test_nothing_of_it_is_stored_in_clear_and_it_goes_with_the_record(
    place: Place, officer: httpx.AsyncClient
) -> None:
    await ask(place, "Confidence rare")
    async with place.house.database.writing.acquire() as connection:
        row = await connection.fetchrow("select * from access_question")
        assert b"Confidence" not in row["sealed"]
        async with connection.transaction():
            await erasure.erase(connection, place.house.vault, patient_key(place).patient)
            assert await connection.fetchval("select count(*) from access_question") == 0


async def test_each_act_is_an_entry(place: Place, officer: httpx.AsyncClient) -> None:
    reading, about = place.house.database.reading, patient_key(place).patient
    written = "select count(*) from journal_entry where event = 50 and patient = $1 and sequence < 0"
    await ask(place)
    assert await reading.fetchval(written, about) == 1
    await say(officer, re.findall(rf"{LIST}/\d+", (await officer.get(LIST)).text)[0], answer="Oui.")

    assert await reading.fetchval(written, about) == 2


@pytest.mark.parametrize("about", ["", "nothing", "0000000000000001-1"])
async def test_only_an_access_that_one_sees_is_asked_about(
    place: Place, officer: httpx.AsyncClient, about: str
) -> None:
    async with place.signed_in("patient") as person:
        path = f"/journal/dossiers/{place.patient}/question"
        assert (await person.get(path, params={"acces": about})).status_code == 404


async def test_a_question_that_is_too_long_is_kept_in_the_form(place: Place, officer: httpx.AsyncClient) -> None:
    async with place.signed_in("patient") as person:
        address = await question_address(place, person)
        answer = await say(
            person, address, address.partition("?")[0], acces=address.partition("acces=")[2], question="a" * 2001
        )

    assert answer.status_code == 400
    assert "2 000 lettres" in text(answer)


@pytest.mark.parametrize("who", ["nurse", "patient", "admin"])
async def test_questions_are_answered_by_the_officer_alone(place: Place, officer: httpx.AsyncClient, who: str) -> None:
    await ask(place)
    async with place.signed_in(who) as browser:
        assert (await browser.get(LIST)).status_code == 404


async def test_an_officer_of_elsewhere_sees_none(place: Place, officer: httpx.AsyncClient) -> None:
    await ask(place)
    await place.house.database.writing.execute("update relation set organization = 1, principal = 1")

    assert "0 question attend" in text(await officer.get(LIST))


async def test_agreements_and_oppositions_stand_beside(place: Place) -> None:
    async with place.signed_in("patient") as person:
        shown = await person.get(f"/journal/dossiers/{place.patient}")

        assert "Accords et oppositions" in text(shown)
        assert (await person.get(f"/dossiers/{place.patient}/accords")).status_code == 200


async def test_who_asked_alone_reads_it(place: Place, officer: httpx.AsyncClient) -> None:
    await ask(place, "Entre nous")
    key = patient_key(place)
    async with place.house.database.reading.acquire() as connection:
        own = await questions.of_person(connection, place.house.vault, key.patient, key.res)
        other = await questions.of_person(connection, place.house.vault, key.patient, key.res + 1)

    assert [one.text for one in own] == ["Entre nous"]
    assert other == []


async def test_a_question_that_is_sent_again_from_an_old_page_is_one(place: Place, officer: httpx.AsyncClient) -> None:
    async with place.signed_in("patient") as person:
        address = await question_address(place, person)
        sent = {"acces": address.partition("acces=")[2], "question": "Qui est-ce ?"}
        answers = [await say(person, address, address.partition("?")[0], **sent) for _ in range(2)]

    assert {one.headers["location"] for one in answers} == {f"/journal/dossiers/{place.patient}#questions"}
    assert await place.house.database.reading.fetchval("select count(*) from access_question") == 1
    assert "1 question attend votre réponse" in text(await officer.get(LIST))
