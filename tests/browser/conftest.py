"""The desks of a real sandbox in a real Chromium, on a small phone, found by role and by the fixed words.

One sandbox a session: each test has people and patients of its own.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize

from ..services.chromium import emptied, launched
from ..services.running_sandbox import Running, sandbox

__all__ = ["sandbox"]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = ViewportSize(width=360, height=640)


@pytest.fixture(scope="module")
async def started_chromium() -> AsyncIterator[Browser]:
    async with launched(FLAGS) as browser:
        yield browser


@pytest.fixture
async def chromium(started_chromium: Browser) -> AsyncIterator[Browser]:
    async with emptied(started_chromium) as browser:
        yield browser


@dataclass
class Desks:
    """Opens the desks. What consoles say and what pages ask of other origins is kept, for the gate."""

    territory: Running
    chromium: Browser
    heard: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return str(self.territory.known["issuer"])

    def patient(self, key: str) -> str:
        """The id of a patient of the territory."""
        return next(str(one["id"]) for one in self.territory.known["patients"] if one["key"] == key)

    def person(self, key: str) -> dict[str, Any]:
        return next(dict(one) for one in self.territory.known["people"] if one["key"] == key)

    def resources(self, who: str, query: str) -> list[dict[str, Any]]:
        """What this person's own software finds."""
        bundle = self.territory.get(self.territory.token(who), query).json()
        return [entry["resource"] for entry in bundle.get("entry", [])]

    async def sign_in(self, key: str) -> Page:
        """A fresh phone, signed in as that person, on the page where they land."""
        context = await self.chromium.new_context(locale="fr-FR", viewport=PHONE, has_touch=True, base_url=self.url)
        page = await context.new_page()
        page.set_default_timeout(15_000)

        def console(message: ConsoleMessage) -> None:
            # The browser notes each page that was refused: that one is wanted.
            if message.type in ("error", "warning") and "status of 4" not in message.text:
                self.heard.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith((f"{self.url}/", "data:")):
                self.outside.append(request.url)

        page.on("console", console)
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("request", asked)
        person = self.person(key)
        await page.goto("/connexion")
        await page.get_by_label("Identifiant").fill(person["username"])
        await page.get_by_label("Mot de passe, ou code").fill(person.get("password") or person["pin"])
        await press(page, page.get_by_role("button", name="Se connecter"))
        return page


@pytest.fixture
async def desks(sandbox: Running, chromium: Browser) -> AsyncIterator[Desks]:  # the fixture, as a parameter
    opened = Desks(sandbox, chromium)
    yield opened
    assert opened.heard == []
    assert opened.outside == []


async def press(page: Page, button: Locator) -> None:
    """Touches what leads to another page, and waits for it."""
    async with page.expect_navigation():
        await button.tap()


async def heading(page: Page) -> str:
    return (await page.locator("h1").inner_text()).strip()


async def told(page: Page) -> str:
    """The words of the page, on one line."""
    return re.sub(r"\s+", " ", await page.locator("main").inner_text())
