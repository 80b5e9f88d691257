"""The desks of a real sandbox in a real Chromium, on a small phone, found by role and by the fixed words.

One sandbox a session: each test has people and patients of its own.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from playwright.async_api import ConsoleMessage, Error, Locator, Page, Request

from ..services.chromium import launched
from ..services.running_sandbox import Running, sandbox
from .handset import handset, secret
from .windows import Windows

__all__ = ["handset", "sandbox", "secret"]

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


# One browser and one loop for the tests of a session, which say so in their marks: to start them takes seconds.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def windows(sandbox: Running) -> AsyncIterator[Windows]:  # the fixture, as a parameter
    async with launched(FLAGS) as browser:
        yield Windows(browser, str(sandbox.known["issuer"]))


@dataclass
class Desks:
    """Opens the desks. What consoles say and what pages ask of other origins is kept, for the gate."""

    territory: Running
    windows: Windows
    heard: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    used: list[Page] = field(default_factory=list)
    _listening: dict[Page, list[tuple[str, Callable[..., None]]]] = field(default_factory=dict)
    altered: list[Page] = field(default_factory=list)
    """Those of the windows used that a test has changed for good."""
    apps: list[str] = field(default_factory=list)
    """Origins of vendors' apps, which a test opens on purpose."""

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

    async def sign_in(self, key: str, **app: str) -> Page:
        """A fresh phone, signed in as that person, on the page where they land."""
        page = await self.arrive(**app)
        await page.goto("/connexion")
        await self.prove(page, key)
        return page

    async def prove(self, page: Page, key: str) -> None:
        """What a person fills in on the sign-in page."""
        person = self.person(key)
        await page.get_by_label("Identifiant").fill(person["username"])
        await page.get_by_label("Mot de passe, ou code").fill(person.get("password") or person["pin"])
        await press(page, page.get_by_role("button", name="Se connecter"))

    async def arrive(self, app: str = "", served: str = "") -> Page:
        """A fresh phone, on no page yet. What it asks of the origin `app` is `served` elsewhere."""
        if app:
            self.apps.append(app)
        page = await self.windows.take(served)
        if served:
            self.altered.append(page)
        self.used.append(page)
        page.set_default_timeout(15_000)

        def console(message: ConsoleMessage) -> None:
            # The browser notes each page that was refused: that one is wanted.
            if message.type in ("error", "warning") and "status of 4" not in message.text:
                self.heard.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith(("data:", *(f"{origin}/" for origin in (self.url, *self.apps)))):
                self.outside.append(request.url)

        def failed(error: Error) -> None:
            self.heard.append(str(error))

        self._listening[page] = [("console", console), ("pageerror", failed), ("request", asked)]
        for event, listener in self._listening[page]:
            page.on(event, listener)  # type: ignore[call-overload]  # each of them with its own event
        return page

    async def leave(self) -> None:
        """Gives the windows back."""
        used, self.used = self.used, []
        for page in used:
            for event, listener in self._listening.pop(page):
                page.remove_listener(event, listener)
            await self.windows.give_back(page, altered=page in self.altered)


@pytest_asyncio.fixture(loop_scope="session")
async def desks(sandbox: Running, windows: Windows) -> AsyncIterator[Desks]:  # the fixture, as a parameter
    opened = Desks(sandbox, windows)
    yield opened
    await opened.leave()
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
