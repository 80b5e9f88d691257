"""A self-employed professional names who works in her place or under her name, and nobody else."""
# ruff: noqa: F811  # the fixtures below come from another folder's conftest, and tests name them as parameters

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest

from liaison.fhir.definitions import kind_of
from liaison.fhir.model.dates import ZONE

from ...oauth.conftest import Place, place, settings  # noqa: F401  # fixtures
from .test_referent import RPPS, link_in
from .test_team import person, post


def day(days: int) -> str:
    return (datetime.now(ZONE).date() + timedelta(days=days)).isoformat()


DATED = {"fin": day(60), "autorisation": "2026-0412", "statut": "inscrit"}


@pytest.fixture
async def nurse(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        yield browser


async def add(browser: httpx.AsyncClient, function: str, **more: str) -> httpx.Response:
    form = {"nom": "Le Gall", "prenom": "Soazig", "rpps": RPPS, **more}
    return await post(browser, "/equipe", fonction=function, **form)


async def test_her_substitute_acts_for_her_until_the_last_day(place: Place, nurse: httpx.AsyncClient) -> None:
    assert "Remplacement et secrétariat" in (await nurse.get("/equipe")).text
    link_in(await add(nurse, "substitute", **DATED))
    held = await place.house.database.reading.fetchrow(
        "select s.acts_for = n.role as hers, s.organization = n.organization as there, s.valid_to < 'infinity' as dated"
        " from held_role s, held_role n where s.role_code = 'substitute' and n.role_code = 'nurse'"
        " and n.practitioner = (select fhir_res from account where username = 'nurse')"
    )

    assert dict(held) == {"hers": True, "there": True, "dated": True}
    assert "Soazig Le Gall" in (await nurse.get("/equipe")).text
    assert (await post(nurse, "/equipe/terminer", personne=await person(nurse))).status_code == 303
    assert "Suspendu" in (await nurse.get("/equipe")).text


@pytest.mark.parametrize("function", ["substitute", "trainee"])
async def test_whom_the_directory_knows_is_the_same_person_in_a_new_role(
    place: Place, nurse: httpx.AsyncClient, function: str
) -> None:
    """A second Practitioner would be nobody to an opposition that names the first."""
    counted = "select count(*) from directory_version where kind = $1 and superseded is null"
    reading, kind = place.house.database.reading, kind_of("Practitioner")
    await add(nurse, "substitute", **DATED)
    await post(nurse, "/equipe/terminer", personne=await person(nurse))
    before = await reading.fetchval(counted, kind)

    assert (await add(nurse, function, **DATED)).status_code == 200
    assert await reading.fetchval(counted, kind) == before
    assert (
        await reading.fetchval(
            "select count(distinct practitioner) from held_role where role_code in ('substitute', 'trainee')"
        )
        == 1
    )


@pytest.mark.parametrize("function", ["gp", "nurse", "referent", "home-aide", "admin", ""])
async def test_no_other_role_is_hers_to_give(nurse: httpx.AsyncClient, function: str) -> None:
    assert (await add(nurse, function, **DATED)).status_code == 422


@pytest.mark.parametrize("missing", ["fin", "autorisation", "rpps", "statut"])
async def test_a_replacement_is_dated_and_authorised(nurse: httpx.AsyncClient, missing: str) -> None:
    assert (await add(nurse, "substitute", **{**DATED, missing: ""})).status_code == 422


async def test_whoever_acts_for_a_colleague_is_not_hers(place: Place, nurse: httpx.AsyncClient) -> None:
    await add(nurse, "secretary")
    hers = await person(nurse)
    await place.house.database.writing.execute("update held_role set acts_for = 7 where role_code = 'secretary'")

    assert "Soazig" not in (await nurse.get("/equipe")).text
    for path in ("/equipe/suspendre", "/equipe/terminer", "/equipe/code"):
        assert (await post(nurse, path, personne=hers)).status_code == 404


async def test_the_account_of_who_acts_for_a_colleague_too_is_not_hers_to_open_or_end(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    """A link that she has seen would let her act as them, for the colleague."""
    await add(nurse, "secretary")
    shared = await person(nurse)
    await place.house.database.writing.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, acts_for, valid_from, valid_to)"
        " select 4242, practitioner, organization, role_code, true, 7, valid_from, valid_to from held_role"
        " where role_code = 'secretary'"
    )

    assert (await post(nurse, "/equipe/code", personne=shared)).status_code == 422
    assert (await post(nurse, "/equipe/terminer", personne=shared)).status_code == 303
    assert await place.house.database.reading.fetchval(
        "select active and (ends_at is null or ends_at > now()) from account where username = 'soazig.le-gall'"
    )


async def test_in_a_ward_the_ward_answers_for_its_people(place: Place, nurse: httpx.AsyncClient) -> None:
    await place.house.database.writing.execute(
        "insert into organization_part (organization, part_of) select distinct organization, 77 from held_role"
        " where role_code = 'nurse' on conflict (organization) do update set part_of = 77"
    )

    assert (await add(nurse, "substitute", **DATED)).status_code == 422
