"""A self-employed professional names who works in her place or under her name, and nobody else."""

import asyncio
import html
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta

import httpx
import pytest

from liaison.auth.people.roles import held_by
from liaison.fhir.definitions import kind_of
from liaison.fhir.model.dates import ZONE
from liaison.services.pages.calendar_words import day_said, last_day_before
from liaison.services.pages.role_names import role_name

from ...oauth.conftest import Place
from .test_referent import RPPS, link_in
from .test_team import person, post


def day(days: int) -> str:
    return (datetime.now(ZONE).date() + timedelta(days=days)).isoformat()


def dated(**more: str) -> dict[str, str]:
    """The days are those of the moment: the modules are found before midnight, and may be run after it."""
    return {"fin": day(60), "autorisation": "2026-0412", "statut": "inscrit", **more}


@pytest.fixture
async def nurse(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        yield browser


async def add(browser: httpx.AsyncClient, function: str, **more: str) -> httpx.Response:
    form = {"nom": "Le Gall", "prenom": "Soazig", "rpps": RPPS, **more}
    return await post(browser, "/equipe", fonction=function, **form)


async def test_her_substitute_acts_for_her_until_the_last_day(place: Place, nurse: httpx.AsyncClient) -> None:
    assert "Remplacement et secrétariat" in (await nurse.get("/equipe")).text
    link_in(await add(nurse, "substitute", **dated()))
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
    await add(nurse, "substitute", **dated())
    await post(nurse, "/equipe/terminer", personne=await person(nurse))
    before = await reading.fetchval(counted, kind)

    assert (await add(nurse, function, **dated())).status_code == 200
    assert await reading.fetchval(counted, kind) == before
    assert (
        await reading.fetchval(
            "select count(distinct practitioner) from held_role where role_code in ('substitute', 'trainee')"
        )
        == 1
    )


@pytest.mark.parametrize("function", ["gp", "nurse", "referent", "home-aide", "admin", ""])
async def test_no_other_role_is_hers_to_give(nurse: httpx.AsyncClient, function: str) -> None:
    assert (await add(nurse, function, **dated())).status_code == 422


@pytest.mark.parametrize("missing", ["fin", "autorisation", "rpps", "statut"])
async def test_a_replacement_is_dated_and_authorised(nurse: httpx.AsyncClient, missing: str) -> None:
    assert (await add(nurse, "substitute", **dated(**{missing: ""}))).status_code == 422


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

    assert (await add(nurse, "substitute", **dated())).status_code == 422


async def doctor_too(place: Place) -> None:
    """Soazig also works elsewhere, in her own name, as a doctor."""
    await place.house.database.writing.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " select 4242, practitioner, 77, 'gp', true, '-infinity', 'infinity' from held_role where role_code = 'substitute'"
    )


async def substitutes(place: Place, what: str = "active") -> list[object]:
    rows = await place.house.database.reading.fetch(f"select {what} from held_role where role_code = 'substitute'")
    return [row[0] for row in rows]


async def test_somebody_unknown_has_no_right_until_an_administrator_has_confirmed_her(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    added = await add(nurse, "substitute", **dated())

    assert "aucun droit n’est ouvert" in added.text
    assert "Profession à confirmer" in (await nurse.get("/equipe")).text
    assert await substitutes(place) == [False]
    assert (await post(nurse, "/equipe/profession", personne=await person(nurse))).status_code == 404
    number = await place.house.database.reading.fetchval(
        "select account from account where username = 'soazig.le-gall'"
    )
    async with place.signed_in("admin") as admin:
        shown = html.unescape((await admin.get(f"/administration/comptes/{number}")).text)
        assert "de la profession «\u00a0Infirmier\u00a0»" in shown
        await post(admin, "/administration/comptes/profession", compte=str(number))
        assert "Profession à confirmer" not in (await admin.get(f"/administration/comptes/{number}")).text

    assert await substitutes(place) == [True]
    page = (await nurse.get("/equipe")).text
    assert "Profession à confirmer" not in page
    assert "Infirmier remplaçant, jusqu" in page


async def test_who_is_known_with_another_profession_is_refused_in_so_many_words(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    await add(nurse, "substitute", **dated())
    await doctor_too(place)
    await post(nurse, "/equipe/terminer", personne=await person(nurse))

    for function in ("substitute", "trainee"):
        refused = await add(nurse, function, **dated())
        assert refused.status_code == 422
        assert "de la même profession (infirmier). L’annuaire connaît cette personne comme médecin" in refused.text
    assert await substitutes(place) == [False]


async def test_a_first_day_to_come_opens_nothing_before(place: Place, nurse: httpx.AsyncClient) -> None:
    assert (await add(nurse, "substitute", **dated(), debut=day(3))).status_code == 200

    page = html.unescape((await nurse.get("/equipe")).text)
    assert f"à partir du {day_said(date.fromisoformat(day(3)), 'd MMM y', 'fr')}" in page
    assert f"jusqu’au {day_said(date.fromisoformat(day(60)), 'd MMM y', 'fr')}" in page
    [begins] = await substitutes(place, "valid_from")
    assert begins == datetime.combine(date.fromisoformat(day(3)), time(), ZONE)
    assert (await post(nurse, "/equipe/terminer", personne=await person(nurse))).status_code == 303


UNLAWFUL = {
    "begun": ({"debut": day(-1)}, "Le premier jour est passé"),
    "no day": ({"debut": "demain"}, "La date de début n’est pas une date"),
    "far": ({"debut": day(400), "fin": day(420)}, "dans plus d’un an"),
    "upside down": ({"debut": day(10), "fin": day(9)}, "avant la date de début"),
    "over": ({"fin": day(-1)}, "La date de fin est passée"),
    "a week": ({"fin": "2099-W10"}, "La date de fin n’est pas une date"),
    "a day of a week": ({"fin": "2099-W10-1"}, "La date de fin n’est pas une date"),
    "no hyphens": ({"fin": "20990305"}, "La date de fin n’est pas une date"),
    "other figures": ({"fin": "٢٠٩٩-٠٣-٠٥"}, "La date de fin n’est pas une date"),
    "year 9999": ({"fin": "9999-12-31"}, "trop lointaine"),
    "more than a year": ({"fin": day(400)}, "un an au plus"),
    "a student for longer": ({"fin": day(93), "statut": "etudiant"}, "trois mois au plus"),
    "neither": ({"statut": "autre"}, "inscrite à l’Ordre, ou étudiante"),
    "no figure": ({"autorisation": "zzz"}, "tel que l’Ordre l’a écrit"),
    "nought": ({"autorisation": "000"}, "tel que l’Ordre l’a écrit"),
    "other signs": ({"autorisation": "n° 1;2"}, "tel que l’Ordre l’a écrit"),
}


async def test_days_and_authorisation_are_what_the_law_allows(place: Place, nurse: httpx.AsyncClient) -> None:
    for name, (wrong, words) in UNLAWFUL.items():
        refused = await add(nurse, "substitute", **{**dated(), **wrong})

        assert (refused.status_code, words in html.unescape(refused.text)) == (422, True), name
    assert await substitutes(place) == []


@pytest.mark.parametrize("number", ["2026-0412", "CDOM 56/26.118", "R12"])
async def test_each_council_numbers_in_its_own_way(place: Place, nurse: httpx.AsyncClient, number: str) -> None:
    assert (await add(nurse, "substitute", **{**dated(), "autorisation": number})).status_code == 200


async def test_a_second_touch_adds_nobody(place: Place, nurse: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(add(nurse, "substitute", **dated()) for _ in range(3)))

    assert sorted(one.status_code for one in answers) == [200, 422, 422]
    assert len(await substitutes(place)) == 1
    again = await add(nurse, "substitute", **dated())
    assert "déjà ce rôle" in again.text
    assert f'href="#personne-{await person(nurse)}"' in again.text
    assert f'id="personne-{await person(nurse)}"' in again.text


async def test_the_same_person_comes_back_for_other_days(place: Place, nurse: httpx.AsyncClient) -> None:
    await add(nurse, "substitute", **dated(fin=day(5)))

    assert (await add(nurse, "substitute", **dated(), debut=day(5))).status_code == 422
    assert (await add(nurse, "substitute", **dated(), debut=day(6))).status_code == 200
    account = await place.house.database.reading.fetchval(
        "select ends_at from account where username = 'soazig.le-gall'"
    )
    assert account.astimezone(ZONE).date().isoformat() == day(60)


async def test_who_has_no_number_is_not_added_twice_by_name_unless_it_is_somebody_else(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    await add(nurse, "secretary")

    refused = await add(nurse, "secretary", prenom="soazig")
    assert refused.status_code == 422
    assert "C’est une autre personne, du même nom" in refused.text
    assert (await add(nurse, "secretary", homonyme="oui")).status_code == 200


async def test_the_last_day_moves_both_ways_and_the_account_with_it(place: Place, nurse: httpx.AsyncClient) -> None:
    await add(nurse, "substitute", **dated())
    hers, renewed = await person(nurse), {"statut": "inscrit", "autorisation": "2026-0999"}

    for until, number in ((day(20), "2026-0412"), (day(90), "2026-0999")):
        form = {"personne": hers, "fin": until, **renewed, "autorisation": number}
        assert (await post(nurse, "/equipe/fin", **form)).status_code == 303
        [ends] = await substitutes(place, "valid_to")
        assert isinstance(ends, datetime)
        account = await place.house.database.reading.fetchval(
            "select ends_at from account where username = 'soazig.le-gall'"
        )
        assert last_day_before(ends).isoformat() == until
        assert account.astimezone(ZONE).date().isoformat() == until
    for wrong in (
        {"fin": day(400)},
        {"fin": ""},
        {"fin": "2099-W10"},
        {"autorisation": "zzz"},
        {"statut": ""},
        {"fin": day(91)},
    ):
        form = {"personne": hers, "fin": day(30), **renewed, **wrong}
        assert (await post(nurse, "/equipe/fin", **form)).status_code == 422
    assert await substitutes(place, "valid_to") == [ends]


async def test_what_was_ended_and_taken_up_again_has_its_account_again(place: Place, nurse: httpx.AsyncClient) -> None:
    good = "select ends_at > now() from account where username = 'soazig.le-gall'"
    reading = place.house.database.reading
    await add(nurse, "secretary", fin=day(60))
    await post(nurse, "/equipe/terminer", personne=await person(nurse))
    assert not await reading.fetchval(good)

    assert (await post(nurse, "/equipe/suspendre", personne=await person(nurse))).status_code == 303

    assert await reading.fetchval("select active from held_role where role_code = 'secretary'")
    assert await reading.fetchval(good)


async def test_what_an_administrator_has_ended_stays_so(place: Place, nurse: httpx.AsyncClient) -> None:
    await add(nurse, "secretary", fin=day(60))
    await place.house.database.writing.execute("update account set ends_at = now() where username = 'soazig.le-gall'")

    await post(nurse, "/equipe/suspendre", personne=await person(nurse))
    await post(nurse, "/equipe/suspendre", personne=await person(nurse))
    await post(nurse, "/equipe/fin", personne=await person(nurse), fin=day(70))

    assert not await place.house.database.reading.fetchval(
        "select ends_at > now() from account where username = 'soazig.le-gall'"
    )


async def test_what_has_begun_anew_is_not_taken_up_beside(place: Place, nurse: httpx.AsyncClient) -> None:
    await add(nurse, "substitute", **dated())
    former = await person(nurse)
    await post(nurse, "/equipe/terminer", personne=former)
    await add(nurse, "substitute", **dated())

    refused = await post(nurse, "/equipe/suspendre", personne=former)

    assert (refused.status_code, "déjà ce rôle" in refused.text) == (422, True)


async def test_where_there_is_no_role_to_give_nothing_leads_there_and_the_page_says_why(place: Place) -> None:
    async with place.signed_in() as nurse:
        assert 'href="/equipe"' in (await nurse.get("/mes-connexions")).text
    await place.house.database.writing.execute(
        "insert into organization_part (organization, part_of) select distinct organization, 77 from held_role"
        " where role_code = 'nurse' on conflict (organization) do update set part_of = 77"
    )
    async with place.signed_in() as nurse:
        assert 'href="/equipe"' not in (await nurse.get("/mes-connexions")).text
        page = await nurse.get("/equipe")
        assert "Votre service fait partie d’un établissement" in page.text
        assert 'name="nom"' not in page.text


async def test_a_substitute_is_called_by_her_profession(place: Place, nurse: httpx.AsyncClient) -> None:
    await add(nurse, "substitute", **dated())
    await place.house.database.writing.execute("update held_role set active = true where role_code = 'substitute'")
    await place.house.database.writing.execute("update held_role set role_code = 'physio' where role_code = 'nurse'")
    substitute = await place.house.database.reading.fetchval(
        "select practitioner from held_role where role_code = 'substitute'"
    )

    [held] = await held_by(place.house.database.reading, substitute)

    assert role_name(held.role_code, str, held.stands_for) == "Kinésithérapeute remplaçant"


async def test_the_number_of_a_colleague_gives_nobody_that_colleague_s_account(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    """Known to the directory, and without an account yet: the link would be seen by the one who typed the number."""
    await add(nurse, "substitute", **dated())
    await post(nurse, "/equipe/terminer", personne=await person(nurse))
    writing = place.house.database.writing
    await writing.execute("delete from account where username = 'soazig.le-gall'")
    await writing.execute(
        "insert into known_profession select distinct practitioner, 'nurse' from held_role where role_code = 'substitute'"
    )

    answer = await add(nurse, "substitute", **dated())

    assert "un administrateur vérifie qui elle est" in answer.text
    assert "/premier-acces/" not in answer.text
    assert (
        await place.house.database.reading.fetchval("select count(*) from account where username like 'soazig%'") == 0
    )


async def test_who_turns_out_to_be_of_another_profession_is_not_taken_up_again(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    await add(nurse, "substitute", **dated())
    hers, renewed = await person(nurse), {"statut": "inscrit", "autorisation": "2026-0999"}
    await post(nurse, "/equipe/suspendre", personne=hers)
    await doctor_too(place)

    refused = await post(nurse, "/equipe/suspendre", personne=hers)
    assert (refused.status_code, "comme médecin" in refused.text) == (422, True)

    await place.house.database.writing.execute(
        "insert into awaiting_role select role, role_code from held_role where role_code = 'substitute'"
    )
    refused = await post(nurse, "/equipe/fin", personne=hers, fin=day(30), **renewed)
    assert (refused.status_code, "comme médecin" in refused.text) == (422, True)
    assert (await post(nurse, "/equipe/terminer", personne=hers)).status_code == 303
