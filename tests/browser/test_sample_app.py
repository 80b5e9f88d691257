"""A sample SMART app with `fhirclient` (npm), on an origin of its own in a real Chromium: opened on a record, and by itself.

The sandbox knows it as the app that someone is writing on this machine; its two pages are in `smart_app`. The library reads
SMART's configuration, makes PKCE, exchanges the code, reads and renews, all from the page: what keeps origins apart is the
browser's own.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.async_api import Page

from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PAGES = Path(__file__).parent / "smart_app"
LIBRARY = Path(__file__).parents[1] / "services/clients/node/node_modules/fhirclient/build/fhir-client.pure.js"
FILES = {"/launch": PAGES / "launch.html", "/callback": PAGES / "callback.html", "/fhir-client.js": LIBRARY}
ORIGIN = "http://127.0.0.1:8765"
NAME = "Votre application en cours d’écriture"


class _Pages(BaseHTTPRequestHandler):
    """The two pages and the library, whatever the host: the window comes here as to a proxy."""

    def do_GET(self) -> None:
        file = FILES.get(urlsplit(self.path).path)
        if file is None:
            self.send_error(404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("content-type", "text/javascript" if file is LIBRARY else "text/html; charset=utf-8")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: a launch handle or a code stands in what would be written."""


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """Where its pages are to be had. Their origin is fixed and its port perhaps taken, so they are served on another."""
    if not LIBRARY.exists():
        pytest.skip("the npm clients are not installed: deploy/setup.sh test says why")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def drawn(page: Page) -> dict[str, str]:
    """What the app shows once it has read and renewed."""
    await page.wait_for_url(f"{ORIGIN}/callback**")
    await page.locator("h1:not(:text-is('…'))").wait_for()
    shown = {part: await page.locator(part).inner_text() for part in ("h1", "#user", "#context", "#renewed")}
    return {**shown, "measures": str(await page.locator("li").count())}


async def test_it_is_opened_on_a_record(desks: Desks, app: str) -> None:
    page = await desks.sign_in("gp", app=ORIGIN, served=app)
    record = desks.patient("bpco_04")
    await page.goto(f"/dossiers/{record}")
    await press(page, page.get_by_role("button", name=NAME))
    await page.wait_for_url("**/oauth/authorize?**")
    assert await heading(page) == f"Autoriser {NAME} ?"
    assert "Jeannine Robic (née LE FLOCH)" in await told(page)

    await press(page, page.get_by_role("button", name="Autoriser"))

    shown = await drawn(page)
    assert shown["#user"].endswith(str(desks.person("gp")["practitioner"]))
    assert (shown["h1"], shown["#context"]) == ("LE FLOCH", f"{record} open-record")
    assert (shown["#renewed"], shown["measures"]) == ("renewed", "5")


async def test_it_is_opened_by_itself_and_leads_to_the_sign_in_and_back(desks: Desks, app: str) -> None:
    page = await desks.arrive(app=ORIGIN, served=app)
    await page.goto(f"{ORIGIN}/launch?{urlencode({'iss': desks.territory.known['fhir']})}")
    await page.wait_for_url("**/connexion**")
    await desks.prove(page, "gp")
    assert await heading(page) == f"Pour quelle personne ouvrir {NAME} ?"
    await page.get_by_label("Une partie du nom").fill("robic")
    await press(page, page.get_by_role("button", name="Chercher"))
    await page.get_by_role("radio").check()
    await press(page, page.get_by_role("button", name="Continuer"))
    assert "Jeannine Robic (née LE FLOCH)" in await told(page)

    await press(page, page.get_by_role("button", name="Autoriser"))

    shown = await drawn(page)
    assert (shown["h1"], shown["#context"]) == ("LE FLOCH", f"{desks.patient('bpco_04')} standalone")
    assert (shown["#renewed"], shown["measures"]) == ("renewed", "5")
