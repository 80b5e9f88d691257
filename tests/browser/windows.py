"""Windows of Chromium that tests use one after the other. Opening one and warming it up takes longer than most tests are
busy with their own pages."""

from urllib.parse import urlsplit

from playwright.async_api import Browser, Error, Page, ProxySettings, ViewportSize

from ..services.chromium import PATIENCE, ending

PHONE = ViewportSize(width=360, height=640)


class Windows:
    """Each window has a storage of its own, and is as good as new when it is taken: signed in nowhere, with nothing kept
    and nowhere to go back to."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._idle: list[Page] = []

    async def take(self, proxy: str = "") -> Page:
        """With a proxy it is a window of its own, which goes there for all but the service."""
        if self._idle and not proxy:
            return self._idle.pop()
        # Chromium asks no proxy for addresses of this machine unless it is told to; of its rules the last counts.
        around = f"<-loopback>,{urlsplit(self._url).netloc}"
        return await self.elsewhere(self._url, ProxySettings(server=proxy, bypass=around) if proxy else None)

    async def elsewhere(self, url: str, proxy: ProxySettings | None = None) -> Page:
        """A window of its own, where the service has that address."""
        context = await self._browser.new_context(
            locale="fr-FR", viewport=PHONE, has_touch=True, base_url=url, proxy=proxy
        )
        return await context.new_page()

    async def give_back(self, page: Page, *, altered: bool = False, patience: float = PATIENCE) -> None:
        """A window that cannot be emptied, because it is altered, elsewhere, no longer alone or waiting for an answer, is
        closed."""
        try:
            if not altered and page.url.startswith(f"{self._url}/") and page.context.pages == [page]:
                async with ending("emptying a window", patience):
                    await self._empty(page)
                self._idle.append(page)
                return
        except (Error, AssertionError):  # in the middle of what a failed test began
            pass
        async with ending("closing a window"):
            await page.context.close()

    async def _empty(self, page: Page) -> None:
        await page.evaluate("sessionStorage.clear()")
        await page.goto("about:blank")
        await page.context.clear_cookies()
        console = await page.context.new_cdp_session(page)
        await console.send("Storage.clearDataForOrigin", {"origin": self._url, "storageTypes": "all"})
        await console.send("Network.clearBrowserCache")
        await console.send("Page.resetNavigationHistory")
        await console.detach()
