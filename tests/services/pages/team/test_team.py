"""A manager's people: from nobody to working on the service's phone, and everything that is not hers to do."""

import re

import httpx
import pytest

from liaison.auth.people import accounts
from liaison.services.pages import cookies

from ...oauth.conftest import Place, field, sign_in

PHONE = f"__Host-{cookies.PHONE}"
PIN = "271828"


async def post(browser: httpx.AsyncClient, path: str, **form: str | list[str]) -> httpx.Response:
    page = await browser.get("/mes-connexions")
    return await browser.post(path, data={"csrf": field(page.text, "csrf"), **form})


async def invite(browser: httpx.AsyncClient, family: str = "Le Gall", given: str = "Soazig", end: str = "") -> str:
    """The eight digits, as they stand on the page once."""
    page = await post(browser, "/equipe", nom=family, prenom=given, fin=end)
    assert page.status_code == 200, page.text
    shown = re.search(r"Les 8 chiffres :\s*<strong>(\d{4}) (\d{4})</strong>", page.text)
    assert shown, page.text
    return shown[1] + shown[2]


async def choose_pin(
    place: Place, manager: httpx.AsyncClient, code: str, pin: str = PIN, *, on_phone: bool = True, username: str = ""
) -> httpx.Response:
    async with place.browser() as phone:
        if on_phone:
            phone.cookies.set(PHONE, manager.cookies[PHONE])
        csrf = field((await phone.get("/connexion")).text, "csrf")
        assert ("Les 8 chiffres" in (await phone.get("/premier-code")).text) == on_phone
        form = {"csrf": csrf, "identifiant": username or "soazig.le-gall", "code": code, "pin": pin, "encore": pin}
        return await phone.post("/premier-code", data=form)


async def person(browser: httpx.AsyncClient, name: str = "Soazig LE GALL") -> str:
    """The number that the forms of one person's card send."""
    page = await browser.get("/equipe")
    card = next(one for one in page.text.split('<li class="liaison-card">') if name.casefold() in one.casefold())
    return field(card, "personne")


async def works(place: Place, manager: httpx.AsyncClient, pin: str = PIN) -> bool:
    async with place.browser() as phone:
        phone.cookies.set(PHONE, manager.cookies[PHONE])
        answer = await sign_in(phone, "soazig.le-gall", pin)
        if answer.status_code != 303:
            return False
        return "Aide à domicile" in (await phone.get("/mes-connexions")).text


async def test_a_replacement_works_minutes_after_being_added(managed: Place, manager: httpx.AsyncClient) -> None:
    code = await invite(manager)
    assert "N’a pas encore choisi" in (await manager.get("/equipe")).text
    assert code not in (await manager.get("/equipe")).text  # shown once
    kept = await managed.house.database.reading.fetchrow("select * from first_code")
    assert code not in str(dict(kept))

    entered = await choose_pin(managed, manager, code)

    assert entered.status_code == 303
    assert await works(managed, manager)
    assert (await choose_pin(managed, manager, code, "314159")).status_code == 403  # it works once
    assert not await works(managed, manager, "314159")


@pytest.mark.parametrize("act", ["fin", "suspendre"])
async def test_no_digits_are_given_to_whom_they_would_not_let_in(
    managed: Place, manager: httpx.AsyncClient, act: str
) -> None:
    await invite(manager)
    who = await person(manager)
    await managed.house.database.writing.execute("delete from first_code")
    paths = {"fin": "/equipe/terminer", "suspendre": "/equipe/suspendre"}
    assert (await post(manager, paths[act], personne=who)).status_code == 303

    answer = await post(manager, "/equipe/code", personne=who)

    assert answer.status_code == 422
    assert "Les 8 chiffres :" not in answer.text
    assert "C’est suspendu :" in answer.text  # whose contract ends today may be taken up again today
    await managed.house.database.writing.execute("update held_role set valid_to = now() where role = $1", int(who))
    after = await post(manager, "/equipe/code", personne=who)
    assert (after.status_code, "C’est fini :" in after.text) == (422, True)
    assert not await managed.house.database.reading.fetchval("select count(*) from first_code")


async def test_a_pin_that_is_guessed_first_is_not_taken(managed: Place, manager: httpx.AsyncClient) -> None:
    for pin in ("", "12345", "1234567", "111111", "123456", "987654", "12345a"):
        assert (await choose_pin(managed, manager, "12345678", pin)).status_code == 422, pin


async def test_the_digits_count_on_the_services_phone_and_five_wrong_ones_end_them(
    managed: Place,
    manager: httpx.AsyncClient,
) -> None:
    code = await invite(manager)
    assert (await choose_pin(managed, manager, code, on_phone=False)).status_code == 403
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    refusals = {(await choose_pin(managed, manager, wrong)).text for _ in range(5)}
    refusals = {re.sub(r'name="csrf" value="[^"]*"', "", one) for one in refusals}
    assert len(refusals) == 1
    assert (await choose_pin(managed, manager, code)).status_code == 403

    nobody = (await choose_pin(managed, manager, code, username="nobody")).text
    assert re.sub(r'name="csrf" value="[^"]*"', "", nobody).replace("nobody", "soazig.le-gall") in refusals


async def test_the_digits_end_after_their_day(managed: Place, manager: httpx.AsyncClient) -> None:
    code = await invite(manager)
    await managed.house.database.writing.execute("update first_code set expires_at = now()")
    assert (await choose_pin(managed, manager, code)).status_code == 403


async def test_suspending_ends_what_is_open_and_resuming_gives_it_back(
    managed: Place,
    manager: httpx.AsyncClient,
) -> None:
    await choose_pin(managed, manager, await invite(manager))
    who = await person(manager)
    async with managed.browser() as phone:
        phone.cookies.set(PHONE, manager.cookies[PHONE])
        await sign_in(phone, "soazig.le-gall", PIN)
        assert (await phone.get("/mes-connexions")).status_code == 200

        await post(manager, "/equipe/suspendre", personne=who)
        assert (await phone.get("/mes-connexions")).status_code == 303
    assert "Suspendu" in (await manager.get("/equipe")).text
    assert not await works(managed, manager)
    await post(manager, "/equipe/suspendre", personne=who)
    assert await works(managed, manager)


async def test_a_contract_ends_by_its_date_or_today(managed: Place, manager: httpx.AsyncClient) -> None:
    code = await invite(manager, end="2099-12-31")
    assert "31 déc. 2099" in (await manager.get("/equipe")).text
    await choose_pin(managed, manager, code)
    assert await works(managed, manager)
    writing = managed.house.database.writing
    await writing.execute("update account set ends_at = now() - interval '1 second' where username = 'soazig.le-gall'")
    assert not await works(managed, manager)
    await writing.execute("update account set ends_at = null where username = 'soazig.le-gall'")
    assert await works(managed, manager)

    await post(manager, "/equipe/terminer", personne=await person(manager))
    assert not await works(managed, manager)
    for wrong in ("2020-01-01", "demain"):
        answer = await post(manager, "/equipe", nom="Riou", prenom="Anna", fin=wrong)
        assert answer.status_code == 422
        assert "Riou" in answer.text  # what was typed is not lost


async def test_a_manager_gives_one_role_in_her_own_service_whatever_the_form_says(
    managed: Place,
    manager: httpx.AsyncClient,
) -> None:
    reading = managed.house.database.reading
    before = [row["role"] for row in await reading.fetch("select role from held_role")]
    await post(manager, "/equipe", nom="Riou", prenom="Anna", role="admin", organization="1", fonction="nurse")
    held = await reading.fetch(
        "select h.role_code, h.organization = m.organization as same from held_role h, held_role m"
        " where m.role_code = 'home-service-manager' and not h.role = any($1)",
        before,
    )
    assert [tuple(row) for row in held] == [("home-aide", True)]


async def test_nobody_of_another_service_no_other_role_and_not_herself(
    managed: Place,
    manager: httpx.AsyncClient,
) -> None:
    await invite(manager)
    mine = await person(manager)
    reading, writing = managed.house.database.reading, managed.house.database.writing
    others = await reading.fetch("select role from held_role where role <> $1", int(mine))
    for path in ("/equipe/suspendre", "/equipe/terminer", "/equipe/code"):
        for number in (*(str(row["role"]) for row in others), "1", "x", "", "9" * 30):
            assert (await post(manager, path, personne=number)).status_code == 404
    assert await reading.fetchval("select bool_and(active) from held_role")

    await writing.execute("update held_role set organization = 77 where role = $1", int(mine))
    assert (await post(manager, "/equipe/suspendre", personne=mine)).status_code == 404
    async with managed.signed_in("both") as other:
        assert (await other.get("/equipe")).status_code in (303, 404)


async def test_an_account_that_reaches_further_is_not_hers_to_open(
    managed: Place,
    manager: httpx.AsyncClient,
) -> None:
    """Whoever sets a PIN could sign in with it: an aide who is a nurse elsewhere keeps her account to herself."""
    await choose_pin(managed, manager, await invite(manager))
    mine = await person(manager)
    assert (await post(manager, "/equipe/code", personne=mine)).status_code == 200
    writing = managed.house.database.writing
    await writing.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " select 4242, practitioner, 77, 'nurse', true, '-infinity', 'infinity' from held_role where role = $1",
        int(mine),
    )
    answer = await post(manager, "/equipe/code", personne=mine)
    assert answer.status_code == 422
    assert "travaille aussi ailleurs" in answer.text
    await writing.execute("delete from held_role where role = 4242")
    async with writing.acquire() as connection:
        await accounts.set_secret(connection, "soazig.le-gall", password="cheval exact pile agrafe")
    assert (await post(manager, "/equipe/code", personne=mine)).status_code == 422


async def test_each_act_asks_for_a_recent_proof_and_is_on_record(managed: Place, manager: httpx.AsyncClient) -> None:
    before = await managed.house.database.reading.fetchval("select count(*) from journal_entry where event = 30")
    await invite(manager)
    mine = await person(manager)
    await managed.house.database.writing.execute("update browser_session set started_at = now() - interval '1 hour'")
    for path in ("/equipe", "/equipe/suspendre", "/equipe/terminer", "/equipe/code"):
        answer = await post(manager, path, personne=mine, nom="A", prenom="B")
        assert answer.headers["location"].startswith("/confirmer?suite=%2Freprise%2F"), path
    rows = await managed.house.database.reading.fetchval("select count(*) from journal_entry where event = 30")
    assert rows == before + 1
    writes = "select count(*) from journal_entry where event = 11 and person = (select fhir_res from account where username = 'nurse')"
    assert await managed.house.database.reading.fetchval(writes) >= 1
