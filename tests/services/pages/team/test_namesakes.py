"""Nobody is in the directory twice, by a name alone or by another number: what a patient says of them follows them."""
# the fixtures below come from another folder's conftest, and tests name them as parameters

import asyncio
import html
import re

import httpx
import pytest

from liaison.auth.access import internal
from liaison.fhir.definitions import kind_of
from liaison.services.pages.record import Record

from ...oauth.conftest import Place, place, settings
from .test_for_oneself import add, dated, day, nurse
from .test_referent import RPPS
from .test_team import person, post

__all__ = ["nurse", "place", "settings"]
SAME = {"nom": "Guillemot", "prenom": "Anne-Laure"}
OTHER = "10100000016"


async def counted(place: Place) -> int:
    query = "select count(*) from directory_version where kind = $1 and superseded is null"
    return int(await place.house.database.reading.fetchval(query, kind_of("Practitioner")))


async def rights(place: Place) -> int:
    query = "select count(*) from held_role where active and role_code in ('secretary', 'substitute')"
    return int(await place.house.database.reading.fetchval(query))


async def known(nurse: httpx.AsyncClient) -> None:
    """The directory knows Anne-Laure Guillemot, whose replacement is over."""
    await add(nurse, "substitute", **dated(), **SAME)
    await post(nurse, "/equipe/terminer", personne=await person(nurse, "Anne-Laure Guillemot"))


def doubtful(page: httpx.Response) -> str:
    [who] = set(re.findall(r'name="personne" value="(Practitioner/[^"]+)"', page.text))
    return str(who)


async def decide(admin: httpx.AsyncClient, who: str, decision: str) -> httpx.Response:
    return await post(admin, "/administration/comptes/identite", personne=who, decision=decision)


def choices(page: httpx.Response) -> list[str]:
    return re.findall(r'name="homonyme" type="radio" value="([^"]*)"', page.text)


@pytest.mark.parametrize(
    "typed",
    [
        SAME,
        {"nom": "guillemot", "prenom": "Anne"},
        {"nom": "Anne Laure", "prenom": "GUILLEMOT"},
        {"nom": "Guillemot", "prenom": "A.-L."},
        {"nom": "Guillemot-Lecouturier", "prenom": "Anne-Laure"},
        {"nom": "Lecouturier", "prenom": "Anne-Laure Guillemot"},
    ],
    ids=["the same", "shorter", "the other way round", "initials", "a double name", "in the given names"],
)
async def test_a_name_that_the_directory_knows_is_asked_about(
    place: Place, nurse: httpx.AsyncClient, typed: dict[str, str]
) -> None:
    await known(nurse)
    before = await counted(place)

    asked = await add(nurse, "secretary", **typed)

    assert asked.status_code == 422
    assert "quelqu’un de ce nom" in asked.text
    assert f"RPPS {RPPS}" in asked.text
    assert choices(asked)[-1] == "oui"
    assert (await counted(place), await rights(place)) == (before, 0)


async def test_who_is_the_same_is_in_the_directory_once(place: Place, nurse: httpx.AsyncClient) -> None:
    await known(nurse)
    before = await counted(place)
    same, _other = choices(await add(nurse, "secretary", **SAME))

    assert (await add(nurse, "secretary", **SAME, homonyme=same)).status_code == 200

    assert await counted(place) == before
    people = "select count(distinct practitioner) from held_role where role_code in ('secretary', 'substitute')"
    assert await place.house.database.reading.fetchval(people) == 1
    assert "déjà ce rôle" in (await add(nurse, "secretary", **SAME, homonyme=same)).text


async def test_who_is_somebody_else_has_no_right_until_an_administrator_has_found_out(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    await known(nurse)

    added = await add(nurse, "secretary", **SAME, homonyme="oui")

    assert added.status_code == 200
    assert "avant qu’un administrateur ait vérifié" in added.text
    assert "Identité à confirmer" in (await nurse.get("/equipe")).text
    waiting = await place.house.database.reading.fetchval("select role from held_role where role_code = 'secretary'")
    assert (await post(nurse, "/equipe/suspendre", personne=str(waiting))).status_code == 422
    assert await rights(place) == 0

    async with place.signed_in("admin") as admin:
        page = await admin.get("/administration/comptes")
        assert "Identité à confirmer" in page.text
        assert "Déjà dans l’annuaire" in html.unescape(page.text)
        who = doubtful(page)
        assert (await decide(admin, who, "autre")).status_code == 303
        assert (await decide(admin, who, "autre")).status_code == 404
        assert "Identité à confirmer" not in (await admin.get("/administration/comptes")).text
    assert await rights(place) == 1
    assert "Identité à confirmer" not in (await nurse.get("/equipe")).text


async def test_who_proves_to_be_the_same_begins_nowhere(place: Place, nurse: httpx.AsyncClient) -> None:
    await known(nurse)
    await add(nurse, "secretary", **SAME, homonyme="oui")
    async with place.signed_in("admin") as admin:
        who = doubtful(await admin.get("/administration/comptes"))
        assert (await decide(admin, who, "meme")).status_code == 303

    assert await rights(place) == 0
    ended = await place.house.database.reading.fetchval("select role from held_role where role_code = 'secretary'")
    refused = await post(nurse, "/equipe/suspendre", personne=str(ended))
    assert refused.status_code == 422
    for homonym in (who, "oui"):
        await add(nurse, "secretary", **SAME, homonyme=homonym)
    assert await rights(place) == 0


async def test_what_the_manager_ended_while_it_waited_stays_ended(place: Place, nurse: httpx.AsyncClient) -> None:
    await known(nurse)
    await add(nurse, "secretary", **SAME, homonyme="oui")
    waiting = await place.house.database.reading.fetchval("select role from held_role where role_code = 'secretary'")
    await post(nurse, "/equipe/terminer", personne=str(waiting))
    async with place.signed_in("admin") as admin:
        who = doubtful(await admin.get("/administration/comptes"))
        assert (await decide(admin, who, "autre")).status_code == 303

    assert await rights(place) == 0


async def test_a_number_is_that_of_one_name(place: Place, nurse: httpx.AsyncClient) -> None:
    """A valid number typed wrong is a stranger's."""
    await known(nurse)
    before = await counted(place)

    refused = await add(nurse, "substitute", **{**dated(), "nom": "Kerbrat", "prenom": "Maël"})

    assert (refused.status_code, "pour Anne-Laure Guillemot" in refused.text) == (422, True)
    assert (await counted(place), await rights(place)) == (before, 0)


async def test_another_number_makes_nobody_another_person(place: Place, nurse: httpx.AsyncClient) -> None:
    await known(nurse)

    asked = await add(nurse, "substitute", **{**dated(), **SAME, "rpps": OTHER})

    assert asked.status_code == 422
    same, other = choices(asked)
    refused = await add(nurse, "substitute", **{**dated(), **SAME, "rpps": OTHER, "homonyme": same})
    assert (refused.status_code, "un administrateur corrige l’annuaire" in refused.text) == (422, True)
    assert (await add(nurse, "substitute", **{**dated(), **SAME, "rpps": OTHER, "homonyme": other})).status_code == 200
    assert await rights(place) == 0


async def test_whom_the_directory_has_put_aside_comes_back_by_no_number(place: Place, nurse: httpx.AsyncClient) -> None:
    await known(nurse)
    same = choices(await add(nurse, "secretary", **SAME))[0]
    await put_aside(place, same)
    before = await counted(place)

    for form in ({"rpps": RPPS}, {"homonyme": same}):
        refused = await add(nurse, "substitute" if "rpps" in form else "secretary", **{**dated(), **SAME, **form})
        assert (refused.status_code, "ne compte plus cette personne" in refused.text) == (422, True)
    assert await counted(place) == before


async def put_aside(place: Place, reference: str) -> None:
    directory = Record(place.house.engine, await internal.open_session(place.house.database.writing, "people"))
    tree = await directory.read(reference)
    assert tree is not None
    await directory.update({**tree, "active": False})


async def test_two_touches_at_once_make_one_person(place: Place, nurse: httpx.AsyncClient) -> None:
    before = await counted(place)

    answers = await asyncio.gather(*(add(nurse, "secretary", **SAME, fin=day(10)) for _ in range(3)))

    assert sorted(one.status_code for one in answers) == [200, 422, 422]
    assert await counted(place) == before + 1
