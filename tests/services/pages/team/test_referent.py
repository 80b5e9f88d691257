"""The referent of a practice or of a hospital unit: the people of her own structure, and no role beyond it."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest

from liaison.fhir.definitions import kind_of
from liaison.fhir.model.dates import ZONE
from liaison.services.pages.phones import CHECKS
from liaison.services.pages.team.newcomer import is_rpps

from ...oauth.conftest import Place, declared_as, sign_in
from ..test_phones import PHONE
from .test_team import PIN, choose_pin, person, post

RPPS = "10100000008"
END = (datetime.now(ZONE).date() + timedelta(days=60)).isoformat()


@pytest.fixture
async def referent(managed: Place) -> AsyncIterator[httpx.AsyncClient]:
    await managed.house.database.writing.execute(
        "update held_role set role_code = 'referent' where role_code = 'home-service-manager'"
    )
    async with managed.signed_in() as browser:
        yield browser


async def add(browser: httpx.AsyncClient, function: str = "nurse", **more: str) -> httpx.Response:
    form = {"nom": "Le Gall", "prenom": "Soazig", "rpps": RPPS, **more}
    return await post(browser, "/equipe", fonction=function, **form)


def link_in(page: httpx.Response) -> str:
    shown = re.search(r"https://liaison\.test(/premier-acces/[\w-]+)", page.text)
    assert shown, page.text
    return shown[1]


async def test_a_nurse_begins_by_a_link_and_works_in_this_structure(
    managed: Place,
    referent: httpx.AsyncClient,
) -> None:
    link = link_in(await add(referent, fin="2099-12-31"))
    assert "N’a pas encore utilisé son lien" in (await referent.get("/equipe")).text
    again = link_in(await post(referent, "/equipe/code", personne=await person(referent)))
    async with managed.browser() as nurse:
        assert (await nurse.get(link)).status_code == 404
        page = await nurse.get(again)
        csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)
        assert csrf
        secret = "trois tasses et un peigne"
        await nurse.post(again, data={"csrf": csrf[1], "secret": secret, "encore": secret})
        assert "Infirmier" in (await nurse.get("/mes-connexions")).text

        await post(referent, "/equipe/terminer", personne=await person(referent))
        assert (await nurse.get("/mes-connexions")).status_code == 303
        assert (await sign_in(nurse, "soazig.le-gall", secret)).status_code == 403
    same = await managed.house.database.reading.fetchval(
        "select count(distinct organization) from held_role where role_code in ('nurse', 'referent')"
        " and practitioner in (select fhir_res from account where username in ('nurse', 'soazig.le-gall'))"
    )
    assert same == 1


@pytest.mark.parametrize("unit", [False, True], ids=["practice", "unit"])
async def test_a_care_assistant_begins_by_eight_digits_on_a_phone_of_the_structure(
    managed: Place, referent: httpx.AsyncClient, unit: bool
) -> None:
    """As an aide does: who goes from bed to bed has neither a number nor a letterbox (`managers.by_code_on_phone`)."""
    if unit:
        await managed.house.database.writing.execute(
            "insert into organization_part (organization, part_of) select organization, 77 from held_role"
            " where role_code = 'referent' on conflict (organization) do update set part_of = 77"
        )
    await post(referent, "/telephones", libelle="Téléphone 1", fait=list(CHECKS))
    await declared_as(managed, None)  # as where real people work, PINs are for the phones that were enrolled

    page = await add(referent, "care-assistant", rpps="")

    shown = re.search(r"Les 8 chiffres :\s*<strong>(\d{4}) (\d{4})</strong>", page.text)
    assert shown, page.text
    assert (await choose_pin(managed, referent, shown[1] + shown[2])).status_code == 303
    async with managed.browser() as phone:
        phone.cookies.set(PHONE, referent.cookies[PHONE])
        assert (await sign_in(phone, "soazig.le-gall", PIN)).status_code == 303
        assert "Aide-soignant" in (await phone.get("/mes-connexions")).text
    async with managed.browser() as elsewhere:
        assert (await sign_in(elsewhere, "soazig.le-gall", PIN)).status_code == 403
    again = await post(referent, "/equipe/code", personne=await person(referent))
    assert "Les 8 chiffres :" in again.text


@pytest.mark.parametrize(
    "function", ["admin", "referent", "dpo", "auditor", "coordinator", "home-aide", "hospital-doctor", ""]
)
async def test_no_role_beyond_the_structure_is_given(
    managed: Place,
    referent: httpx.AsyncClient,
    function: str,
) -> None:
    before = await managed.house.database.reading.fetchval("select count(*) from held_role")
    answer = await add(referent, function, organization="1")
    assert answer.status_code == 422
    assert "Soazig" in answer.text  # what was typed is not lost
    assert await managed.house.database.reading.fetchval("select count(*) from held_role") == before


async def test_a_unit_of_a_hospital_has_other_roles_than_a_practice(
    managed: Place,
    referent: httpx.AsyncClient,
) -> None:
    await managed.house.database.writing.execute(
        "insert into organization_part (organization, part_of) select organization, 77 from held_role"
        " where role_code = 'referent' on conflict (organization) do update set part_of = 77"
    )
    assert (await add(referent, "gp")).status_code == 422
    assert (await add(referent, "hospital-doctor")).status_code == 200


async def test_the_directory_has_nobody_twice_and_nobody_gives_themselves_a_role(
    managed: Place,
    referent: httpx.AsyncClient,
) -> None:
    people = "select count(*) from directory_version where kind = $1 and superseded is null"
    reading, kind = managed.house.database.reading, kind_of("Practitioner")
    await add(referent, "gp")
    before = await reading.fetchval(people, kind)
    assert "déjà ce rôle" in (await add(referent, "gp")).text
    assert "déjà un compte" in (await add(referent, "specialist")).text
    assert await reading.fetchval(people, kind) == before

    await managed.house.database.writing.execute(
        "update held_role set practitioner = (select fhir_res from account where username = 'soazig.le-gall')"
        " where role_code = 'referent'"
    )
    # The referent is, from now on, the one with that number: her own browser still names the former person.
    await managed.house.database.writing.execute(
        "update access_session set practitioner = (select fhir_res from account where username = 'soazig.le-gall')"
        " where role_code = 'referent'"
    )
    refused = await add(referent, "physio")
    assert (refused.status_code, "C’est vous : personne" in refused.text) == (422, True)


async def test_a_link_is_not_hers_to_give_to_someone_who_works_elsewhere_too(
    managed: Place,
    referent: httpx.AsyncClient,
) -> None:
    """Whoever sees the link could use it, and be that person there."""
    await add(referent, "gp")
    writing = managed.house.database.writing
    await writing.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " select 4242, fhir_res, 77, 'gp', true, '-infinity', 'infinity' from account where username = 'soazig.le-gall'"
    )
    assert (await post(referent, "/equipe/code", personne=await person(referent))).status_code == 422
    await writing.execute("delete from account where username = 'soazig.le-gall'")
    answer = await add(referent, "specialist")
    assert "un administrateur lui ouvre un compte" in answer.text
    assert "/premier-acces/" not in answer.text


async def test_who_stands_in_for_somebody_does_so_for_one_of_the_structure_until_a_day(
    managed: Place,
    referent: httpx.AsyncClient,
) -> None:
    await add(referent, "gp")
    doctor = await person(referent)
    new = {"rpps": "10100000016", "nom": "Josse", "prenom": "Camille"}
    numberless = {**new, "rpps": "", "pour": doctor, "fin": END, "autorisation": "2026-0412", "statut": "inscrit"}
    for function in ("trainee", "substitute"):
        assert (await add(referent, function, **numberless)).status_code == 422
    for wrong in ({"fin": END}, {"pour": doctor}, {"pour": "1", "fin": END}):
        assert (await add(referent, "trainee", **{**new, **wrong})).status_code == 422
    assert (await add(referent, "trainee", **new, pour=doctor, fin=END)).status_code == 200
    held = await managed.house.database.reading.fetchval("select acts_for from held_role where role_code = 'trainee'")
    assert str(held) == doctor
    dated = {"pour": doctor, "fin": END}
    assert "numéro d’autorisation" in (await add(referent, "substitute", **new, **dated)).text
    assert (
        await add(referent, "substitute", **new, **dated, statut="inscrit", autorisation="2026-0412")
    ).status_code == 200


@pytest.mark.parametrize(
    ("number", "good"),
    [
        (RPPS, True),
        ("10100000009", False),
        ("1010000000", False),
        ("1010000000a", False),
        ("", False),
        ("١" * 11, False),
    ],
)
def test_a_number_is_eleven_digits_with_their_check(number: str, good: bool) -> None:
    assert is_rpps(number) == good


async def test_she_answers_for_the_profession_of_whom_she_engages_and_confirms_the_others(
    managed: Place,
    referent: httpx.AsyncClient,
) -> None:
    await add(referent, "gp")
    doctor = await person(referent)
    new = {"rpps": "10100000016", "nom": "Josse", "prenom": "Camille", "pour": doctor, "fin": END}
    await add(referent, "trainee", **new)
    reading, active = managed.house.database.reading, "select active from held_role where role_code = 'trainee'"
    assert await reading.fetchval(active)

    await managed.house.database.writing.execute("delete from known_profession")
    await managed.house.database.writing.execute(
        "with closed as (update held_role set active = false where role_code = 'trainee' returning role, role_code)"
        " insert into awaiting_role select * from closed"
    )
    page = await referent.get("/equipe")
    assert "Je confirme sa profession" in page.text
    josse = await person(referent, "Camille JOSSE")
    assert (await post(referent, "/equipe/profession", personne=josse)).status_code == 303
    assert await reading.fetchval(active)


async def test_she_makes_no_doctor_of_a_nurse_in_her_own_name_either(
    managed: Place, referent: httpx.AsyncClient
) -> None:
    """That role would then have proven that the nurse may replace a doctor."""
    nurse = {"rpps": "10100000016", "nom": "Josse", "prenom": "Camille"}
    await add(referent, "nurse", **nurse)

    refused = await add(referent, "gp", **nurse)

    assert (refused.status_code, "elle n’a pas de fonction d’une autre profession (médecin)" in refused.text) == (
        422,
        True,
    )


async def test_she_makes_no_doctor_s_substitute_of_a_nurse(managed: Place, referent: httpx.AsyncClient) -> None:
    await add(referent, "gp")
    doctor = await person(referent)
    nurse = {"rpps": "10100000016", "nom": "Josse", "prenom": "Camille"}
    await add(referent, "nurse", **nurse)

    refused = await add(
        referent, "substitute", **nurse, pour=doctor, fin=END, statut="inscrit", autorisation="2026-0412"
    )

    assert (refused.status_code, "connaît cette personne comme infirmier" in refused.text) == (422, True)
