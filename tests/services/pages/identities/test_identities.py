"""Doublons proposés and Identité: two records are compared, merged and taken apart; an identity is checked and corrected."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal
from liaison.auth.access.identity import is_merged, matricules, status_of
from liaison.fhir.store.contract import Request

from ....auth.access.arrivals import traits
from ...oauth.conftest import Place
from ..browsing import say, text

Tree = dict[str, Any]
BARE = {name: value for name, value in traits().items() if name != "identifier"}
TYPED = {
    "birth": "1948-03-02",
    "family": "LE GOFF",
    "given": "Jeanne",
    "sex": "female",
    "birthplace": "29232",
    "ins": "260058815400233",
    "ins_kind": "10",
}


@pytest.fixture
async def nurse(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        yield browser


async def ask(place: Place, method: str, path: str, tree: Tree | None = None) -> Tree:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    body = b"" if tree is None else orjson.dumps(tree)
    answer = await place.house.engine.handle(
        maker, Request(method, path, "", body, {"prefer": "return=representation"})
    )
    assert answer.status in (200, 201), answer.body
    found: Tree = orjson.loads(answer.body)
    return found


async def followed(place: Place, tree: Tree) -> str:
    """The id of someone on whose team the nurse is."""
    teams = (await ask(place, "GET", "CareTeam"))["entry"]
    members = next(one["resource"]["participant"] for one in teams if "participant" in one["resource"])
    made = await ask(place, "POST", "Patient", tree)
    team = {"resourceType": "CareTeam", "status": "active", "subject": {"reference": f"Patient/{made['id']}"}}
    await ask(place, "POST", "CareTeam", {**team, "participant": members})
    return str(made["id"])


async def patient(place: Place, id_: str) -> Tree:
    return await ask(place, "GET", f"Patient/{id_}")


async def test_two_doubles_are_proposed_compared_merged_and_taken_apart(place: Place, nurse: httpx.AsyncClient) -> None:
    first, second = await followed(place, traits()), await followed(place, {**BARE, "birthDate": "1948-02-03"})
    assert "/doublons" in (await nurse.get("/dossiers")).text
    listed = await nurse.get("/doublons")
    assert "1 doublon à regarder" in text(listed)
    assert "Se ressemblent, à une différence près" in text(listed)
    link = re.search(r'href="(/doublons/[^"]+)"', listed.text)
    assert link is not None

    compared = await nurse.get(link[1])

    assert text(compared).count("différent") == 1
    assert "Date de naissance différent" in text(compared)
    assert "dossier reste : il a l’INS" in text(compared)
    assert (await say(nurse, link[1], decision="meme")).status_code == 422
    assert (await say(nurse, link[1], decision="meme", reste=second)).status_code == 422
    assert not is_merged(await patient(place, second))

    done = await say(nurse, link[1], decision="meme", reste=first)

    assert (done.status_code, done.headers["location"]) == (303, f"/dossiers/{first}/identite")
    assert is_merged(await patient(place, second))
    assert "Aucun doublon à regarder" in text(await nurse.get("/doublons"))
    assert "Une fusion s’annule" in text(await nurse.get(link[1]))
    page = f"/dossiers/{second}/identite"
    shown = await nurse.get(page)
    assert "Ouvrir le dossier qui reste : Jeanne LE GOFF" in text(shown)
    assert f'href="/dossiers/{first}"' in shown.text

    apart = await say(nurse, page, f"{page}/separer")

    assert (apart.status_code, apart.headers["location"]) == (303, page)
    assert not is_merged(await patient(place, second))
    assert (await say(nurse, page, f"{page}/separer")).status_code == 409


async def test_two_people_are_proposed_no_more(place: Place, nurse: httpx.AsyncClient) -> None:
    first, second = await followed(place, BARE), await followed(place, BARE)
    page = f"/doublons/{first}/{second}"

    done = await say(nurse, page, decision="autre")

    assert (done.status_code, done.headers["location"]) == (303, "/doublons")
    listed = text(await nurse.get("/doublons"))
    assert "Aucun doublon à regarder" in listed
    assert "Déjà comparés : deux personnes" in listed
    again = await say(nurse, page, decision="autre")
    assert again.status_code == 409
    assert "C’est déjà décidé" in text(again)


async def test_only_records_that_are_open_to_one_are_compared(place: Place, nurse: httpx.AsyncClient) -> None:
    mine = await followed(place, BARE)
    hidden = str((await ask(place, "POST", "Patient", BARE))["id"])
    assert "Aucun doublon à regarder" in text(await nurse.get("/doublons"))
    for page in (f"/doublons/{mine}/{hidden}", f"/doublons/{mine}/{mine}", f"/dossiers/{hidden}/identite"):
        assert (await nurse.get(page)).status_code == 404, page
    for other in ("patient", "admin", "dpo"):
        async with place.signed_in(other) as browser:
            for page in ("/doublons", f"/dossiers/{mine}/identite"):
                assert (await browser.get(page)).status_code == 404, (other, page)


async def test_nothing_is_decided_without_the_token_of_the_form(place: Place, nurse: httpx.AsyncClient) -> None:
    first, second = await followed(place, BARE), await followed(place, BARE)
    await nurse.post(f"/doublons/{first}/{second}", data={"decision": "meme", "reste": first})
    await nurse.post(f"/dossiers/{first}/identite/corriger", data={**TYPED, "family": "AUTRE"})
    assert not is_merged(await patient(place, second))
    assert (await patient(place, first))["name"] == BARE["name"]


async def test_an_identity_is_checked_and_its_status_follows(place: Place, nurse: httpx.AsyncClient) -> None:
    someone = await followed(place, BARE)
    page = f"/dossiers/{someone}/identite"
    assert page in (await nurse.get(f"/dossiers/{someone}")).text
    verified = f"{page}/verifiee"
    for form, words in (
        ({}, "Dites ce que vous avez vérifié"),
        ({"status": "QUAL"}, "Notez ce que montre le téléservice INS"),
        ({"status": "QUAL", **TYPED, "ins": ""}, "Une identité qualifiée a son INS"),
        ({"status": "VALI", "family": "LE GOFF"}, "Le premier prénom manque"),
        (
            {"status": "QUAL", **TYPED, "given": "Yvette", "sex": "male"},
            "Le dossier dit autre chose pour : premier prénom, sexe",
        ),
    ):
        answer = await say(nurse, page, verified, **form)
        assert answer.status_code == 422
        assert words in text(answer)
    wrong_key = await say(nurse, page, verified, status="QUAL", **{**TYPED, "ins": "260058815400234"})
    assert wrong_key.status_code == 400
    assert status_of(await patient(place, someone)) == ""

    seen = await say(nurse, page, verified, status="VALI")
    assert (seen.status_code, seen.headers["location"]) == (303, page)
    assert status_of(await patient(place, someone)) == "VALI"
    assert (await say(nurse, page, verified, status="QUAL", **TYPED)).status_code == 303
    qualified = await patient(place, someone)
    assert (status_of(qualified), [value for _, value in matricules(qualified)]) == ("QUAL", [TYPED["ins"]])
    assert "260058815400233" in text(await nurse.get(page))

    corrected = await say(nurse, page, f"{page}/corriger", **{**TYPED, "given": "Jeannine"})

    assert (corrected.status_code, corrected.headers["location"]) == (303, page)
    now = await patient(place, someone)
    assert (status_of(now), matricules(now)) == ("PROV", [])
    assert now["name"] == [{"use": "official", "family": "LE GOFF", "given": ["Jeannine"]}]


async def test_an_ins_that_has_another_record_is_said_and_leads_to_the_comparison(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    await followed(place, traits())
    second = await followed(place, BARE)
    page = f"/dossiers/{second}/identite"

    answer = await say(nurse, page, f"{page}/verifiee", status="QUAL", **TYPED)

    assert answer.status_code == 409
    assert "Cet INS est celui d’un autre dossier" in text(answer)
    assert 'href="/doublons"' in answer.text
    assert status_of(await patient(place, second)) == "VALI"
    assert "1 doublon à regarder" in text(await nurse.get("/doublons"))


async def test_each_record_compared_is_in_the_journal(place: Place, nurse: httpx.AsyncClient) -> None:
    ids = [await followed(place, BARE) for _ in range(2)]
    await nurse.get("/doublons")
    keys = [place.house.store.key("Patient", one) for one in ids]
    for key in keys:
        assert key is not None
        count = "select count(*) from journal_entry where event = 5 and patient = $1"
        assert await place.house.database.reading.fetchval(count, key.patient) == 1


async def test_the_officer_follows_a_doubt_by_number_until_it_is_decided(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    first, second = await followed(place, traits()), await followed(place, BARE)
    page = f"/dossiers/{second}/identite"
    await say(nurse, page, f"{page}/verifiee", status="QUAL", **TYPED)
    async with place.signed_in("dpo") as officer:
        shown = text(await officer.get("/journal/identites"))
        assert "1 doute attend une décision" in shown
        assert f"Doublon possible, dossier {second[:6]}" in shown
        assert "LE GOFF" not in shown

        assert (await say(nurse, f"/doublons/{first}/{second}", decision="meme", reste=first)).status_code == 303

        after = text(await officer.get("/journal/identites"))
        assert "0 doute attend une décision" in after
        assert after.count("Dossiers fusionnés") == 2
