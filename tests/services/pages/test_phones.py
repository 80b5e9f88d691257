"""Enrolling and revoking the phones of a service, from its manager's pages."""

import httpx
import pytest
from playwright.async_api import Browser

from liaison.auth.people import accounts
from liaison.services.installation import Kind
from liaison.services.pages import cookies

from ..oauth.conftest import Place, declared_as, field, sign_in
from .conftest import Site, check_page

PHONE = f"__Host-{cookies.PHONE}"


@pytest.fixture
async def managed(place: Place) -> Place:
    """The nurse is, for once, the manager of a home-care service; the one called 'both' works there with a PIN."""
    async with place.house.database.writing.acquire() as connection:
        await connection.execute(
            "update held_role set role_code = 'home-service-manager'"
            " where practitioner = (select fhir_res from account where username = 'nurse')"
        )
        await accounts.set_secret(connection, "both", pin="271828")
    return place


async def enrol(browser: httpx.AsyncClient, label: str = "Téléphone 1") -> httpx.Response:
    page = await browser.get("/telephones")
    return await browser.post("/telephones", data={"csrf": field(page.text, "csrf"), "libelle": label})


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


async def test_both_are_on_record(managed: Place) -> None:
    async with managed.signed_in() as phone:
        await enrol(phone)
        page = await phone.get("/telephones")
        form = {"csrf": field(page.text, "csrf"), "telephone": field(page.text, "telephone")}
        await phone.post("/telephones/revoquer", data=form)

    assert await managed.house.database.reading.fetchval("select count(*) from journal_entry where event = 30") == 2


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
        await enrol(browser, "   ")

        assert PHONE not in browser.cookies


@pytest.mark.browser
async def test_the_page_is_accessible(managed: Place, site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await site.sign_in(page, "nurse")
    await page.goto("/telephones")
    await check_page(page)
    await page.get_by_label("Nom du téléphone").fill("Téléphone 1")
    await page.get_by_role("button", name="Ajouter ce téléphone").click()
    assert await page.get_by_text("C’est ce téléphone.").is_visible()
    await check_page(page)
    assert site.heard == []
