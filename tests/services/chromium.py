"""Debian's Chromium for the tests of pages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ctypes.util import find_library
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 30.0


@asynccontextmanager
async def ending(what: str, seconds: float = PATIENCE) -> AsyncIterator[None]:
    """Fails what has not ended by then. A fixture's end needs it: the time limit of a test is spent once, and Playwright
    waits without any limit for a page that waits for an answer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise AssertionError(f"{what} has not ended after {seconds:g} s") from late


@asynccontextmanager
async def launched(flags: Sequence[str]) -> AsyncIterator[Browser]:
    """Skips the test where Chromium, or what drives it, lacks something that only an administrator may install."""
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed in {CHROMIUM}")
    if not find_library("atomic"):
        pytest.skip("what drives Chromium needs a library: apt-get install libatomic1")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(flags))
        yield browser
        async with ending("closing Chromium"):
            await browser.close()


@asynccontextmanager
async def emptied(browser: Browser) -> AsyncIterator[Browser]:
    """The browser for one test: the windows that it opens, each with storage of its own, are closed after it. Starting
    a browser a test took longer than most tests."""
    yield browser
    async with ending("closing the windows of a test"):
        for context in browser.contexts:
            await context.close()
