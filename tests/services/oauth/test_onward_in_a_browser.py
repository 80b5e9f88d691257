"""Back to the software at the end of a form of ours: Chromium applies form-action to each redirect on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page, Route, expect

from liaison.services.pages import onward, sign_in

from ..pages.conftest import Site, chromium, site, started_chromium
from .conftest import PASSWORD, REDIRECT, asking, place, settings

__all__ = ["chromium", "place", "settings", "site", "started_chromium"]

pytestmark = pytest.mark.browser


async def landed(page: Page) -> None:
    """The software answers at its own address, which is nowhere: what reaches it is shown."""

    async def answer(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<h1>Cabinet+</h1>")

    await page.context.route("https://app.example/**", answer)


async def asks(site: Site, page: Page, **changes: str) -> None:
    await page.goto(f"/oauth/authorize?{urlencode(asking(aud=f'{site.url}/fhir', **changes))}")


async def sign(page: Page, username: str) -> None:
    await page.get_by_label("Identifiant").fill(username)
    await page.get_by_label("Mot de passe, ou code").fill(PASSWORD)
    await page.get_by_role("button", name="Se connecter").click()


LAUNCHED = {"scope": "launch user/Patient.rs", "launch": "nobodys"}


async def test_an_error_after_signing_in_reaches_the_software(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await landed(page)
    await asks(site, page, **LAUNCHED)  # a handle that is nobody's: told to the software once somebody is there
    await sign(page, "nurse")
    await expect(page.get_by_role("heading", name="Cabinet+")).to_be_visible()
    assert page.url.startswith(f"{REDIRECT}?error=invalid_request")


async def test_and_after_a_role_was_chosen_and_after_a_new_proof(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await landed(page)
    await asks(site, page, **LAUNCHED)
    await sign(page, "both")
    await page.get_by_label("Infirmier, Maison de santé de Kervanec").check()
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("heading", name="Cabinet+")).to_be_visible()
    await asks(site, page, prompt="login", **LAUNCHED)
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("heading", name="Cabinet+")).to_be_visible()
    assert page.url.startswith(f"{REDIRECT}?error=")


async def test_consent_and_refusal_reach_the_software(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await landed(page)
    await asks(site, page)
    await sign(page, "nurse")
    await page.get_by_role("button", name="Autoriser").click()
    await expect(page.get_by_role("heading", name="Cabinet+")).to_be_visible()
    assert "code=" in page.url
    await asks(site, page)
    await page.get_by_role("button", name="Refuser").click()
    await expect(page.get_by_role("heading", name="Cabinet+")).to_be_visible()
    assert "error=access_denied" in page.url


@asynccontextmanager
async def going_on() -> AsyncIterator[tuple[str, str]]:
    """Software that takes its code at one origin and goes on to another, as many do. Both of its addresses."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        while (await reader.readline()).strip():
            pass
        status, header = ("302 Found", f"location: {there}") if b"/callback" in line else ("200 OK", "x-y: z")
        body = "<h1>Cabinet+</h1>"
        head = f"HTTP/1.1 {status}\r\n{header}\r\ncontent-type: text/html\r\nconnection: close\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = f"http://localhost:{port}/app"
    async with server:
        yield f"http://127.0.0.1:{port}/callback", there


@pytest.mark.parametrize("planted", [False, True])
async def test_software_may_go_on_to_another_origin_of_its_own(
    site: Site, chromium: Browser, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    """`planted`: were the form itself redirected there, Chromium would stop it."""
    if planted:
        monkeypatch.setattr(onward, "away", lambda _request, response: response)
    async with going_on() as (callback, there):
        await site.place.house.database.writing.execute(
            "update client set redirect_uris = jsonb_build_array($1::text) where client_id = 'app'", callback
        )
        page = await site.page(chromium)
        await asks(site, page, redirect_uri=callback)
        await sign(page, "nurse")
        allow = page.get_by_role("button", name="Autoriser")
        if planted:
            async with page.expect_console_message(lambda said: "form-action" in said.text, timeout=30_000):
                await allow.click()
            return
        await allow.click()
        await expect(page.get_by_role("heading", name="Cabinet+")).to_be_visible()
        assert page.url == there


async def test_a_page_that_does_not_name_it_stops_there(
    site: Site, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault planted: the sign-in page without the software among its targets."""

    async def nobody(*_: object) -> tuple[str, ...]:
        return ()

    monkeypatch.setattr(sign_in, "software_of", nobody)
    page = await site.page(chromium)
    await landed(page)
    await asks(site, page, **LAUNCHED)
    async with page.expect_console_message(lambda said: "form-action" in said.text, timeout=30_000):
        await sign(page, "nurse")
    assert not page.url.startswith(REDIRECT)
