"""Proches: staff note who is close to the person and who represents them; whoever saw no document opens nothing to anybody."""

import html
from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.relations import Relation
from liaison.auth.people import identity_checks
from liaison.services.pages.record import Record

from ....auth.access.territory import Patient, consent
from ...oauth.conftest import Place, field
from ..browsing import today

FORM = {"act": "add", "family": "MAHO", "given": "Sylvain", "link": "CHILD", "phone": "06 39 98 00 01"}


@pytest.fixture
async def nurse(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        yield browser


def _last() -> str:
    return (date.fromisoformat(today()) + timedelta(days=400)).isoformat()


def guardian() -> dict[str, str]:
    return {**FORM, "measure": "tutelle", "seen": today(), "until": _last()}


async def page(browser: httpx.AsyncClient, place: Place) -> str:
    return html.unescape((await browser.get(f"/dossiers/{place.patient}/proches")).text)


async def send(browser: httpx.AsyncClient, place: Place, **form: str) -> httpx.Response:
    path = f"/dossiers/{place.patient}/proches"
    return await browser.post(path, data={"csrf": field((await browser.get(path)).text, "csrf"), **form})


async def represented(place: Place) -> int:
    asked = "select count(*) from relation where relation = $1 and valid_from <= now() and valid_to > now()"
    return int(await place.house.database.reading.fetchval(asked, int(Relation.REPRESENTED)))


async def test_a_relative_is_added_reached_and_taken_away(place: Place, nurse: httpx.AsyncClient) -> None:
    assert "Aucun proche" in await page(nurse, place)
    assert (await send(nurse, place, **{**FORM, "link": ""})).status_code == 422
    assert (await send(nurse, place, **FORM)).status_code == 303

    shown = await page(nurse, place)
    assert "Sylvain MAHO (enfant)" in shown
    assert 'href="tel:0639980001"' in shown
    assert "représente la personne :" not in shown
    assert "Sylvain MAHO" in (await nurse.get(f"/dossiers/{place.patient}/accords")).text  # may be given the notebook
    assert await represented(place) == 0
    assert (await send(nurse, place, act="leave", relative=field(shown, "relative"))).status_code == 303
    assert "Sylvain MAHO" not in await page(nurse, place)


async def test_who_represents_the_person_may_have_an_account_until_it_is_taken_back(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    checking = f"/dossiers/{place.patient}/acces"
    assert f"/dossiers/{place.patient}/proches" in (await nurse.get(checking)).text
    assert (await send(nurse, place, **guardian())).status_code == 303

    shown = await page(nurse, place)
    assert "représente la personne : tutelle, jusqu’au" in shown
    assert await represented(place) == 1
    waits = field(shown, "relative")
    form = {"csrf": field(shown, "csrf"), "personne": f"RelatedPerson/{waits}", "piece": "id-card"}
    assert (await nurse.post(checking, data=form)).status_code == 303
    key = place.house.store.key("RelatedPerson", waits)
    assert key is not None
    assert len(await identity_checks.waiting(place.house.database.reading, [key])) == 1

    assert (await send(nurse, place, act="end", relative=waits)).status_code == 303
    assert await represented(place) == 0
    assert "Sylvain MAHO (enfant)" in await page(nurse, place)
    assert await identity_checks.waiting(place.house.database.reading, [key]) == []


async def test_the_person_reads_it_and_lets_nobody_in_by_it(place: Place, nurse: httpx.AsyncClient) -> None:
    """Nobody has seen a document who is not staff."""
    assert (await send(nurse, place, **FORM)).status_code == 303
    async with place.signed_in("patient") as person:
        shown = await page(person, place)
        assert "Sylvain MAHO (enfant)" in shown
        assert 'name="measure"' not in shown
        csrf = field((await person.get("/mes-connexions")).text, "csrf")
        sent = await person.post(f"/dossiers/{place.patient}/proches", data={"csrf": csrf, **guardian()})
        assert sent.status_code == 403
    assert await represented(place) == 0


async def test_a_record_that_is_not_open_has_no_such_page(place: Place, nurse: httpx.AsyncClient) -> None:
    path = f"/dossiers/{place.other_patient}/proches"
    assert (await nurse.get(path)).status_code == 404
    csrf = field((await nurse.get("/mes-connexions")).text, "csrf")
    assert (await nurse.post(path, data={"csrf": csrf, **guardian()})).status_code == 404
    assert await represented(place) == 0


async def test_a_form_that_would_be_refused_is_not_shown(place: Place, nurse: httpx.AsyncClient) -> None:
    """Row 17: a social worker of the team reads who is close to the person, once informed, and writes none of it."""
    assert (await send(nurse, place, **FORM)).status_code == 303
    assert "Ajouter un proche" in await page(nurse, place)
    maker = Record(place.house.engine, await internal.open_session(place.house.database.writing, "sandbox"))
    await maker.create(consent(Patient(f"Patient/{place.patient}"), "information"))
    for role in [one for one in await maker.search("PractitionerRole") if "'nurse'" in str(one["code"])]:
        await maker.update({**role, "code": [{"coding": [{"system": vocabulary.ROLE, "code": "social-worker"}]}]})
    async with place.signed_in() as worker:
        shown = await page(worker, place)

    assert "Sylvain MAHO (enfant)" in shown
    assert "Ajouter un proche" not in shown
    assert "Changer" not in shown.split("Sylvain MAHO")[1].split("</ul>")[0]


async def test_a_measure_that_is_over_is_renewed_for_the_same_person(place: Place, nurse: httpx.AsyncClient) -> None:
    await send(nurse, place, **guardian())
    shown = await page(nurse, place)
    who = field(shown, "relative")
    chosen = f"/dossiers/{place.patient}/proches?proche={who}"
    assert f"{chosen}#decision" in shown
    await place.house.database.writing.execute(
        "update relation set valid_to = now() where relation = $1", int(Relation.REPRESENTED)
    )
    assert await represented(place) == 0
    decision = {"act": "decide", "relative": who, "measure": "habilitation", "seen": today()}
    refused = await send(nurse, place, **decision, until="2020-01-01")
    assert refused.status_code == 422
    assert 'value="decide"' in refused.text  # what was typed is still there
    assert (await send(nurse, place, **decision, until=_last())).status_code == 303

    shown = await page(nurse, place)
    assert shown.count("Sylvain MAHO (enfant)") >= 1
    assert "représente la personne : habilitation familiale, jusqu’au" in shown
    assert field(shown, "relative") == who
    assert await represented(place) == 1
