"""The administrators' accounts page: links shown once, suspension, and recovery by two of them."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from liaison.auth.people import accounts, identity_checks, recovery
from liaison.services.pages.administration import people

from ...oauth.conftest import Place, field, sign_in

PATH = "/administration/comptes"
ACTS = (PATH, *(f"{PATH}/{act}" for act in ("suspendre", "lien", "fin", "retablir")))


@pytest.fixture
async def administered(place: Place) -> Place:
    """The nurse and the one called 'both' are, for once, administrators."""
    await place.house.database.writing.execute(
        "update held_role set role_code = 'admin' where role_code in ('nurse', 'coordinator') and practitioner in"
        " (select fhir_res from account where username = 'nurse')"
    )
    await place.house.database.writing.execute(
        "update held_role set role_code = 'admin' where role_code = 'coordinator' and practitioner in"
        " (select fhir_res from account where username = 'both')"
    )
    await place.house.database.writing.execute("delete from held_role where role_code = 'nurse'")
    return place


@pytest.fixture
async def admin(administered: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with administered.signed_in() as browser:
        yield browser


async def post(browser: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    page = await browser.get("/mes-connexions")
    return await browser.post(path, data={"csrf": field(page.text, "csrf"), **form})


async def seen(place: Place, patient: str) -> None:
    """The officer, for once, has seen this patient's passport."""
    writing, key = place.house.database.writing, place.house.store.key("Patient", patient)
    officer = await accounts.by_username(writing, "dpo")
    assert key is not None
    assert officer is not None
    async with writing.acquire() as connection:
        await identity_checks.record(connection, key, by=officer.number, document="passport")


async def number(place: Place, username: str) -> str:
    account = await accounts.by_username(place.house.database.reading, username)
    assert account is not None
    return str(account.number)


def link_in(page: httpx.Response) -> str:
    shown = re.search(r"https://liaison\.test(/premier-acces/[\w-]+)", page.text)
    assert shown, page.text
    return shown[1]


async def test_someone_of_the_record_gets_an_account_and_a_link_shown_once(
    administered: Place, admin: httpx.AsyncClient
) -> None:
    form = {"personne": f"Patient/{administered.other_patient}", "identifiant": "jo.lebras"}
    unchecked = await post(admin, PATH, **form)
    assert (unchecked.status_code, "vérifié son identité" in unchecked.text) == (422, True)
    await seen(administered, administered.other_patient)
    waiting = (await admin.get(PATH)).text
    assert "Passeport" in waiting
    assert f"?personne=Patient%2F{administered.other_patient}#ouvrir" in waiting.replace("Patient/", "Patient%2F")
    made = await post(admin, PATH, **form)
    link = link_in(made)
    assert "Camille DPO" in made.text  # who hands it over
    assert "compte à ouvrir" not in (await admin.get(PATH)).text
    shown = (await admin.get(f"{PATH}/{await number(administered, 'jo.lebras')}")).text
    assert "Identité vérifiée" in shown
    assert (await post(admin, PATH, **{**form, "identifiant": "jo.lebras2"})).status_code == 422  # one for each person
    assert "/premier-acces/" not in (await admin.get(PATH)).text
    async with administered.browser() as owner:
        page = await owner.get(link)
        secret = "trois tasses et un peigne"
        form = {"csrf": field(page.text, "csrf"), "secret": secret, "encore": secret}
        assert (await owner.post(link, data=form)).status_code == 303
        assert (await owner.get(link)).status_code == 404

    for person, username in (
        ("Patient/x", "a.b"),
        ("Organization/1", "a.b"),
        ("Patient/" + "0" * 32, "a.b"),
        (f"Patient/{administered.patient}", "jo.lebras"),
        (f"Patient/{administered.patient}", "a b"),
    ):
        assert (await post(admin, PATH, personne=person, identifiant=username)).status_code == 422


async def test_an_account_is_suspended_and_taken_up_again_but_never_ones_own(
    administered: Place, admin: httpx.AsyncClient
) -> None:
    async with administered.signed_in("patient") as patient:
        who = await number(administered, "patient")
        await post(admin, f"{PATH}/suspendre", compte=who)
        assert (await patient.get("/mes-connexions")).status_code == 303
        assert (await sign_in(patient, "patient")).status_code == 403
        await post(admin, f"{PATH}/suspendre", compte=who)
        assert (await sign_in(patient, "patient")).status_code == 303
    own = await number(administered, "nurse")
    for path in ("suspendre", "lien", "fin"):
        assert (await post(admin, f"{PATH}/{path}", compte=own)).status_code == 404
    for wrong in ("", "x", "1" * 30, "12345"):
        assert (await post(admin, f"{PATH}/suspendre", compte=wrong)).status_code == 404


async def test_a_lost_link_is_replaced_until_its_owner_has_chosen(
    administered: Place, admin: httpx.AsyncClient
) -> None:
    await seen(administered, administered.other_patient)
    first = link_in(await post(admin, PATH, personne=f"Patient/{administered.other_patient}", identifiant="jo.lebras"))
    who = await number(administered, "jo.lebras")
    assert "un lien est donné" in (await admin.get(f"{PATH}/{who}")).text
    second = link_in(await post(admin, f"{PATH}/lien", compte=who))
    async with administered.browser() as owner:
        assert [(await owner.get(link)).status_code for link in (first, second)] == [404, 200]
    for username, words in (("patient", "déjà choisi"), ("jo.lebras", "suspendu")):
        if username == "jo.lebras":
            await post(admin, f"{PATH}/suspendre", compte=who)
        answer = await post(admin, f"{PATH}/lien", compte=await number(administered, username))
        assert (answer.status_code, words in answer.text) == (422, True)


async def test_a_contract_ends_on_its_day_or_today_and_may_last_longer(
    administered: Place, admin: httpx.AsyncClient
) -> None:
    who = await number(administered, "patient")
    await post(admin, f"{PATH}/fin", compte=who, fin="2099-06-30")
    assert "30 juin 2099" in (await admin.get(f"{PATH}/{who}")).text
    async with administered.signed_in("patient") as patient:
        await post(admin, f"{PATH}/fin", compte=who, maintenant="1")
        assert (await patient.get("/mes-connexions")).status_code == 303
        assert (await sign_in(patient, "patient")).status_code == 403
        await post(admin, f"{PATH}/fin", compte=who, fin="")
        assert (await sign_in(patient, "patient")).status_code == 303
    assert (await post(admin, f"{PATH}/fin", compte=who, fin="demain")).status_code == 422
    await seen(administered, administered.other_patient)
    for end in ("2020-01-01", "demain"):
        form = {"personne": f"Patient/{administered.other_patient}", "identifiant": "jo.lebras", "fin": end}
        answer = await post(admin, PATH, **form)
        assert (answer.status_code, "jo.lebras" in answer.text) == (422, True)  # what was typed is not lost
    made = await post(admin, PATH, **{**form, "fin": "2099-06-30"})
    assert "30 juin 2099" in (await admin.get(f"{PATH}/{await number(administered, 'jo.lebras')}")).text
    assert link_in(made)


async def test_two_administrators_let_someone_in_again(administered: Place, admin: httpx.AsyncClient) -> None:
    await administered.house.database.writing.execute("update notice set read_at = now()")
    who = await number(administered, "patient")
    await post(admin, f"{PATH}/retablir", compte=who)
    await post(admin, f"{PATH}/retablir", compte=who)  # the same one twice is still one
    async with administered.browser() as patient:
        assert (await sign_in(patient, "patient")).status_code == 303  # nothing has happened yet
    async with administered.signed_in("both") as second:
        assert "Rétablissement à confirmer" in (await second.get(PATH)).text
        assert "Confirmer le rétablissement" in (await second.get(f"{PATH}/{who}")).text
        link = link_in(await post(second, f"{PATH}/retablir", compte=who))
    async with administered.browser() as patient:
        assert (await sign_in(patient, "patient")).status_code == 403
        assert (await patient.get(link)).status_code == 200
    assert (await post(admin, f"{PATH}/retablir", compte=await number(administered, "nurse"))).status_code == 422

    writing = administered.house.database.writing
    await writing.execute("update held_role set role_code = 'dpo' where role_code = 'admin'")
    await writing.execute("update access_session set ended_at = now()")
    async with administered.signed_in() as officer:
        assert (await officer.get("/")).headers["location"] == "/avis"
        avis = re.sub(r"\s+", " ", (await officer.get("/avis")).text)
        assert "patient : demandé par nurse, confirmé par both" in avis
        assert "1 avis à lire" in avis
        assert "Avis, 1 à lire" in (await officer.get("/mes-connexions")).text  # wherever the officer is
        page = await officer.get("/acces-retablis")
        assert "Demandé par Camille NURSE, confirmé par Camille BOTH" in re.sub(r"\s+", " ", page.text)
        await post(officer, "/acces-retablis", acces=field(page.text, "acces"))
        assert "J’ai vérifié" not in (await officer.get("/acces-retablis")).text
        assert "Tout est lu" in (await officer.get("/avis")).text

        async with writing.acquire() as connection:
            await recovery.seal(connection)
        avis = (await officer.get("/avis")).text
        assert "code scellé" in avis
        for wrong in ("", "x", "1" * 30):
            assert (await post(officer, "/avis", avis=wrong)).status_code == 404
        await post(officer, "/avis", avis=field(avis, "avis"))
        assert "Tout est lu" in (await officer.get("/avis")).text


async def test_the_page_is_for_administrators_and_each_act_for_those_who_have_just_proven_it(
    administered: Place, admin: httpx.AsyncClient
) -> None:
    async with administered.signed_in("patient") as patient:
        assert [(await patient.get(path)).status_code for path in (PATH, "/avis", "/acces-retablis")] == [404] * 3
        assert (await patient.get(f"{PATH}/{await number(administered, 'nurse')}")).status_code == 404
        for path in ACTS:
            assert (await post(patient, path, compte="1")).status_code == 404
    await administered.house.database.writing.execute(
        "update browser_session set started_at = now() - interval '1 hour'"
    )
    who = await number(administered, "patient")
    for path in ACTS:
        assert (await post(admin, path, compte=who)).headers["location"].startswith("/confirmer?suite=%2Freprise%2F")
    assert await administered.house.database.reading.fetchval("select active from account where username = 'patient'")


async def test_an_account_is_found_by_name_or_user_name_and_the_list_goes_on(
    administered: Place, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(**query: str) -> list[str]:
        return re.findall(r'liaison-list__hint">\s*([\w.-]+)', (await admin.get(PATH, params=query)).text)

    everybody = sorted(["admin", "both", "dpo", "manager", "none", "nurse", "patient"])
    assert await found() == everybody
    assert await found(q="NURS") == ["nurse"]
    assert await found(q="camille both") == ["both"]  # a name of the directory
    assert await found(q="le goff") == []  # administrators read no records
    assert await found(q="x' or true") == []
    monkeypatch.setattr(people, "MOST", 3)
    pages = [await found(), await found(apres=everybody[2]), await found(apres=everybody[5])]
    assert pages == [everybody[:3], everybody[3:6], everybody[6:]]
    assert "Comptes suivants" in (await admin.get(PATH)).text


async def test_who_of_the_directory_has_no_account_is_found_by_name_and_gets_one(
    administered: Place, admin: httpx.AsyncClient
) -> None:
    """Nobody knows a reference by heart, and no other page shows one to an administrator."""
    assert "sans compte" not in (await admin.get(PATH, params={"q": "camille none"})).text
    await administered.house.database.writing.execute(
        "update account set fhir_res = account where username = 'none'"  # theirs is somebody else's now
    )
    assert "sans compte" not in (await admin.get(PATH)).text  # nobody was looked for
    page = (await admin.get(PATH, params={"q": "camille"})).text
    [reference] = re.findall(r"\?personne=([\w/]+)#ouvrir", page)
    assert "Camille NONE" in page
    found = await admin.get(PATH, params={"personne": reference})
    assert field(found.text, "personne") == reference
    assert link_in(await post(admin, PATH, personne=reference, identifiant="camille.none"))
    assert "sans compte" not in (await admin.get(PATH, params={"q": "camille none"})).text
