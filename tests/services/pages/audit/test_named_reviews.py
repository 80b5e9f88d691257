"""Revues: a search with a name, what it counted and what was open, signed once by someone who has just proven who they are."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from liaison.auth.journal.entry import Event

from ...oauth.conftest import Place
from ..browsing import say, text
from .conftest import by_nurse

PATH = "/journal/revues"


async def save(place: Place, officer: httpx.AsyncClient, name: str = "Revue de novembre") -> httpx.Response:
    shown = f"/journal/recherche?dossier={place.patient}&role=nurse"
    return await say(officer, shown, PATH, name=name, query=f"dossier={place.patient}&role=nurse")


async def saved(place: Place, officer: httpx.AsyncClient) -> str:
    answer = await save(place, officer)
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_a_search_is_named_with_its_period_rules_and_counts(place: Place, officer: httpx.AsyncClient) -> None:
    await place.house.journal.record([await by_nurse(place, Event.EMERGENCY, reason="Malaise", role=5)])
    address = await saved(place, officer)
    shown = await officer.get(address)
    words = text(shown)

    assert "Revue de novembre" in words
    assert "Règles de partage version" in words
    assert "Dossiers : 1" in words
    assert "Visites en urgence : 1" in words
    assert "Camille DPO" in words
    [again] = [html.unescape(one) for one in re.findall(r'href="(/journal/recherche[^"]+)"', shown.text)]
    assert {"dossier", "role", "du", "au"} == dict(parse_qsl(urlsplit(again).query)).keys()
    assert (await officer.get(again)).status_code == 200
    assert "Revue de novembre" in text(await officer.get(PATH))
    assert "À signer" in text(await officer.get(PATH))


async def test_it_is_signed_once_with_the_numbers_of_the_moment(place: Place, officer: httpx.AsyncClient) -> None:
    address = await saved(place, officer)
    form = (await officer.get(address)).text
    csrf = re.search(r'action="[^"]*/signer">\s*<input type="hidden" name="csrf" value="([^"]+)"', form)
    assert csrf
    await place.house.journal.record([await by_nurse(place, Event.EMERGENCY, reason="Malaise", role=5)])
    long = await say(officer, address, f"{address}/signer", remark="é" * 999 + "\r\né")
    assert (long.status_code, "1 000 lettres au plus" in text(long), "é" * 999 in long.text) == (400, True, True)
    signed = await say(officer, address, f"{address}/signer", remark="Vu avec le Dr Le Bihan")
    again = await officer.post(f"{address}/signer", data={"csrf": csrf[1], "remark": "Autre"})
    words = text(await officer.get(address))

    assert signed.headers["location"] == address
    assert again.status_code in (303, 400)
    before, _, signature = words.partition("Comptes au moment de la signature")
    assert "Visites en urgence" not in before
    assert "Visites en urgence : 1" in signature
    assert "Vu avec le Dr Le Bihan" in words
    assert "Autre" not in words
    assert "Signer cette revue" not in words
    await place.house.database.writing.execute("update named_review set signed_at = signed_at - interval '400 days'")
    assert text(await officer.get(address)) == words  # the moment is sealed with the rest
    sheet = bytes((await officer.get(f"{address}/pdf")).content)
    for said in ("Revue de novembre", "Visites en urgence", "Vu avec le Dr Le Bihan", "Camille DPO"):
        assert said.encode("cp1252").hex().encode() in sheet, said
    assert "Signée le" in text(await officer.get(PATH))


async def test_a_name_is_asked_for(place: Place, officer: httpx.AsyncClient) -> None:
    answer = await save(place, officer, "")

    assert answer.status_code == 400
    assert "Donnez un nom" in text(answer)
    assert "Aucune revue." in text(answer)


async def test_what_it_says_is_sealed_and_each_act_is_an_entry(place: Place, officer: httpx.AsyncClient) -> None:
    reading = place.house.database.reading
    within = "select count(*) from journal_entry where event = 50 and sequence < 0"
    address = await saved(place, officer)
    row = await reading.fetchrow("select * from named_review")

    assert b"novembre" not in row["sealed"]
    assert place.patient.encode() not in row["sealed"]
    assert await reading.fetchval(within) == 1
    await say(officer, address, f"{address}/signer", remark="")
    assert await reading.fetchval(within) == 2


async def test_officers_of_another_structure_read_it_with_a_mandate_alone(
    place: Place, officer: httpx.AsyncClient
) -> None:
    address = await saved(place, officer)
    writing = place.house.database.writing
    own = await writing.fetchval("select organization from named_review")
    await writing.execute("update named_review set organization = 1")
    assert (await officer.get(address)).status_code == 404
    assert "Aucune revue." in text(await officer.get(PATH))
    await writing.execute("insert into audit_mandate (organization, convention) values ($1, 'Convention 7')", own)

    assert (await officer.get(address)).status_code == 200


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 30, "12345"])
async def test_no_other_number_is_one(officer: httpx.AsyncClient, number: str) -> None:
    assert (await officer.get(f"{PATH}/{number}")).status_code == 404


@pytest.mark.parametrize("who", ["nurse", "patient", "admin"])
async def test_revues_are_for_officers(place: Place, who: str) -> None:
    async with place.signed_in(who) as browser:
        assert (await browser.get(PATH)).status_code == 404
