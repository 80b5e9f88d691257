"""Enrolling and revoking the phones of a service, from its manager's pages."""

import asyncio
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from liaison.auth.people import accounts, first_codes, phones
from liaison.auth.people.accounts import Account
from liaison.services.installation import Kind
from liaison.services.pages import cookies
from liaison.services.pages.phones import CHECKS

from ..oauth.conftest import Place, declared_as, field, sign_in
from .conftest import Site, check_page

PHONE = f"__Host-{cookies.PHONE}"


async def enrol(browser: httpx.AsyncClient, label: str = "Téléphone 1") -> httpx.Response:
    page = await browser.get("/telephones")
    return await browser.post(
        "/telephones", data={"csrf": field(page.text, "csrf"), "libelle": label, "fait": list(CHECKS)}
    )


async def test_a_pin_works_on_the_phone_that_was_enrolled_until_it_is_revoked(managed: Place) -> None:
    async with managed.signed_in() as phone, managed.browser() as elsewhere:
        answer = await enrol(phone)
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert phone.cookies[PHONE]
        page = await phone.get("/telephones")
        assert "C’est ce téléphone." in page.text
        await phone.post("/deconnexion", data={"csrf": field(page.text, "csrf")})

        await declared_as(managed, None)
        assert (await sign_in(phone, "both", "271828")).status_code == 303
        assert (await sign_in(elsewhere, "both", "271828")).status_code == 403

        assert (await phone.get("/role")).status_code == 200
        await declared_as(managed, Kind.SANDBOX)  # where her password alone lets the manager in
        await sign_in(elsewhere, "nurse")
        page = await elsewhere.get("/telephones")
        form = {"csrf": field(page.text, "csrf"), "telephone": field(page.text, "telephone")}
        await elsewhere.post("/telephones/revoquer", data=form)
        assert "Retiré" in (await elsewhere.get("/telephones")).text
        assert (await phone.get("/role")).status_code == 303  # who was signed in on it is so no longer

        await declared_as(managed, None)
        phone.cookies.delete("__Host-liaison")
        assert (await sign_in(phone, "both", "271828")).status_code == 403


async def test_a_pin_and_a_first_code_are_worth_nothing_on_a_phone_of_another_service(managed: Place) -> None:
    await declared_as(managed, None)
    async with managed.house.database.writing.acquire() as connection:
        number = (await accounts.by_username(connection, "both")).number  # type: ignore[union-attr]  # it is there
        elsewhere = await phones.enrol(connection, 424242, "Téléphone d’un autre service")
        organization = await connection.fetchval("select organization from held_role limit 1")
        here = await phones.enrol(connection, organization, "Téléphone 1")
        code = await first_codes.give(connection, number)

    async def first_pin(browser: httpx.AsyncClient) -> int:
        form = {"csrf": field((await browser.get("/premier-code")).text, "csrf"), "identifiant": "both", "code": code}
        return (await browser.post("/premier-code", data={**form, "pin": "482915", "encore": "482915"})).status_code

    async with managed.browser() as browser:
        browser.cookies.set(PHONE, elsewhere, domain="liaison.test", path="/")
        assert (await sign_in(browser, "both", "271828")).status_code == 403
        for _ in range(first_codes.TRIES):
            assert await first_pin(browser) == 403
    async with managed.browser() as browser:
        browser.cookies.set(PHONE, here, domain="liaison.test", path="/")
        assert (await sign_in(browser, "both", "271828")).status_code == 303
    async with managed.browser() as browser:
        browser.cookies.set(PHONE, here, domain="liaison.test", path="/")
        assert await first_pin(browser) == 303  # not ended from the other phone

    await managed.house.database.writing.execute("update held_role set valid_to = now() where role_code <> 'admin'")
    async with managed.browser() as browser:
        browser.cookies.set(PHONE, here, domain="liaison.test", path="/")
        assert (await sign_in(browser, "both", "482915")).status_code == 403  # works there no more


async def test_of_four_who_come_with_one_first_code_at_once_one_enters_and_three_read_why_not(
    managed: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, together = first_codes.check, asyncio.Barrier(4)

    async def checked(*given: Any, **named: Any) -> Account:
        found = await check(*given, **named)
        await together.wait()  # all four were right, and none has chosen yet
        return found

    monkeypatch.setattr(first_codes, "check", checked)
    async with managed.house.database.writing.acquire() as connection:
        number = (await accounts.by_username(connection, "both")).number  # type: ignore[union-attr]  # it is there
        code = await first_codes.give(connection, number)

    async def come() -> httpx.Response:
        async with managed.browser() as browser:
            form = {"csrf": field((await browser.get("/premier-code")).text, "csrf"), "identifiant": "both"}
            return await browser.post("/premier-code", data={**form, "code": code, "pin": "482915", "encore": "482915"})

    answers = await asyncio.gather(*(come() for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [303, 403, 403, 403]
    assert all("ou ils ne valent plus" in one.text for one in answers if one.status_code == 403)


async def test_both_are_on_record(managed: Place) -> None:
    async with managed.signed_in() as phone:
        await enrol(phone)
        page = await phone.get("/telephones")
        form = {"csrf": field(page.text, "csrf"), "telephone": field(page.text, "telephone")}
        await phone.post("/telephones/revoquer", data=form)

    assert await managed.house.database.reading.fetchval("select count(*) from journal_entry where event = 30") == 2


async def test_a_referent_has_the_phones_of_her_own_structure_and_no_others(managed: Place) -> None:
    writing = managed.house.database.writing
    await writing.execute("update held_role set role_code = 'referent' where role_code = 'home-service-manager'")
    async with writing.acquire() as connection:
        elsewhere = await phones.enrol(connection, 424242, "Téléphone d’ailleurs")
        found = await phones.find(connection, elsewhere)
        assert found is not None
        number = found.number
    async with managed.signed_in() as phone:
        await enrol(phone)
        page = await phone.get("/telephones")
        assert ("C’est ce téléphone." in page.text, "Téléphone d’ailleurs" in page.text) == (True, False)
        assert 'href="/telephones"' in (await phone.get("/equipe")).text
        form = {"csrf": field(page.text, "csrf")}
        await phone.post("/telephones/revoquer", data={**form, "telephone": str(number)})
        assert await phones.find(writing, elsewhere) is not None  # it is not hers to end

        await declared_as(managed, None)
        async with managed.browser() as aide:
            aide.cookies.set(PHONE, elsewhere, domain="liaison.test", path="/")
            assert (await sign_in(aide, "both", "271828")).status_code == 403
        async with managed.browser() as aide:
            aide.cookies.set(PHONE, phone.cookies[PHONE], domain="liaison.test", path="/")
            assert (await sign_in(aide, "both", "271828")).status_code == 303
        await declared_as(managed, Kind.SANDBOX)

        page = await phone.get("/telephones")
        await phone.post("/telephones/revoquer", data={name: field(page.text, name) for name in ("csrf", "telephone")})
        assert "Retiré" in (await phone.get("/telephones")).text


async def test_only_managers_have_the_page(place: Place) -> None:
    async with place.signed_in("patient") as browser:
        assert (await browser.get("/telephones")).status_code == 404


@pytest.mark.parametrize("number", ["", "²", "-1", "9" * 19, "9" * 400, "1 or 1=1"])
async def test_a_number_that_no_phone_has_revokes_nothing(managed: Place, number: str) -> None:
    async with managed.signed_in() as phone:
        await enrol(phone)
        form = {"csrf": field((await phone.get("/telephones")).text, "csrf"), "telephone": number}
        assert (await phone.post("/telephones/revoquer", data=form)).status_code == 303
        assert "Retirer" in (await phone.get("/telephones")).text


async def test_a_phone_without_a_name_is_not_enrolled(managed: Place) -> None:
    async with managed.signed_in() as browser:
        answer = await enrol(browser, "   ")

        assert answer.status_code == 422
        assert "Donnez un nom" in answer.text
        assert PHONE not in browser.cookies


@pytest.mark.parametrize("left_out", CHECKS)
async def test_a_phone_on_which_a_point_was_not_looked_at_is_not_enrolled(managed: Place, left_out: str) -> None:
    async with managed.signed_in() as browser:
        page = await browser.get("/telephones")
        looked_at = [one for one in CHECKS if one != left_out]
        form = {"csrf": field(page.text, "csrf"), "libelle": "Téléphone 7", "fait": looked_at}

        answer = await browser.post("/telephones", data=form)

        assert answer.status_code == 422
        assert 'value="Téléphone 7"' in answer.text  # nothing that was typed is lost
        assert PHONE not in browser.cookies


@pytest.mark.browser
async def test_the_page_is_accessible(managed: Place, site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await site.sign_in(page, "nurse")
    await page.goto("/telephones")
    await check_page(page)
    await page.get_by_label("Nom du téléphone").fill("Téléphone 1")
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    await page.get_by_role("button", name="Ajouter ce téléphone").click()
    assert await page.get_by_text("C’est ce téléphone.").is_visible()
    await check_page(page)
    assert site.heard == []
