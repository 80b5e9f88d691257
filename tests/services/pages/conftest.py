"""A real Chromium over the pages, and what every page must hold whatever its desk."""
# ruff: noqa: F811  # the fixtures below come from another folder's conftest, and tests name them as parameters

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, ConsoleMessage, Page, Request

from liaison.auth.people import accounts

from ..chromium import emptied, launched
from ..oauth.conftest import PASSWORD, Place, place, settings, shared  # noqa: F401  # fixtures of every desk, found by name

TAGS = ["RGAAv4", "wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = ((320, 640), (360, 640), (768, 1024), (1280, 800))


@pytest.fixture(scope="module")
async def started_chromium() -> AsyncIterator[Browser]:
    async with launched(["--no-sandbox"]) as browser:
        yield browser


@pytest.fixture
async def chromium(started_chromium: Browser) -> AsyncIterator[Browser]:
    async with emptied(started_chromium) as browser:
        yield browser


@dataclass
class Site:
    """The pages on a port of this machine, in this process."""

    url: str
    place: Place
    heard: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    async def page(self, chromium: Browser, width: int = 1280, height: int = 800) -> Page:
        """A fresh browser window. What its console says and what it asks of other origins is noted."""
        context = await chromium.new_context(
            locale="fr-FR", viewport={"width": width, "height": height}, base_url=self.url
        )
        page = await context.new_page()

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.heard.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith((self.url, "data:")):
                self.outside.append(request.url)

        page.on("console", console)
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("request", asked)
        return page

    async def sign_in(self, page: Page, username: str, secret: str = PASSWORD) -> None:
        await page.goto("/connexion")
        await page.get_by_label("Identifiant").fill(username)
        await page.get_by_label("Mot de passe, ou code").fill(secret)
        await page.get_by_role("button", name="Se connecter").click()


@pytest.fixture
async def site(place: Place) -> AsyncIterator[Site]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        place.house.settings = place.house.settings.model_copy(update={"public_url": url})
        server = uvicorn.Server(uvicorn.Config(place.app, log_level="error", lifespan="off", http="httptools"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # pytest keeps its own
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield Site(url, place)
        server.should_exit = True
        await serving


_VIOLATIONS = """options => axe.run(options).then(found => Object.fromEntries(
    found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200))])))"""
_TOO_WIDE_AND_TOO_SMALL = """() => [
    document.documentElement.scrollWidth - document.documentElement.clientWidth,
    [...document.querySelectorAll(
        'button, .govuk-button, input:not([type=hidden]):not([type=radio]):not([type=checkbox])')]
        .filter(e => e.offsetParent && e.getBoundingClientRect().height < 47.5).map(e => e.outerHTML)]"""


async def check_page(page: Page) -> None:
    """What every page must hold: no accessibility violation, one heading, a title, no sideways scroll at any size."""
    # Of what holds it would tell each element: nothing reads that, and it is a third of the work. Nor does anything read
    # what it says of each rule that holds.
    await page.evaluate(AXE_SCRIPT)
    violations = await page.evaluate(
        _VIOLATIONS, {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    )
    assert violations == {}, page.url
    assert await page.locator("h1").count() == 1
    assert (await page.title()).endswith("– Liaison")
    before = page.viewport_size
    here = (before["width"], before["height"]) if before else None
    for size in sorted(SIZES, key=lambda one: one != here):  # as it stands first: each change lays the page out anew
        if size != here:
            await page.set_viewport_size({"width": size[0], "height": size[1]})
        overflow, small = await page.evaluate(_TOO_WIDE_AND_TOO_SMALL)
        assert overflow <= 0, (page.url, size)
        assert small == [], (page.url, size)
    if before:
        await page.set_viewport_size(before)


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
