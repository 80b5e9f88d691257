"""The telephone's page on a line that is cut: nothing lost, nothing doubled, nothing about anybody in clear."""

import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page

from ..services.delivery.telephone import Telephone, person
from ..services.pages.conftest import check_page
from ..services.running_sandbox import Running
from .line import Line
from .windows import Windows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PIN = "135790"
NOTE = "Chaussons percés, zinzolin"
PAYLOAD = 3 * 1024
"""Bytes of a visit on its way, in base64."""
VISIT = "https://liaison.example/fhir/id/visit"
KEPT = """async () => {
  const opened = await new Promise((done) => (indexedDB.open("liaison").onsuccess = (event) => done(event.target.result)));
  const found = {};
  for (const name of opened.objectStoreNames) {
    found[name] = await new Promise((done) =>
      (opened.transaction(name).objectStore(name).getAll().onsuccess = (event) => done(event.target.result)));
  }
  opened.close();
  const told = (value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      return [...new Uint8Array(value.buffer ?? value)].map((byte) => String.fromCharCode(byte)).join("");
    }
    if (value instanceof CryptoKey) return String(value.extractable);
    if (Array.isArray(value)) return value.map(told);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, told(v)]));
    return value;
  };
  return told(found);
}"""


@dataclass
class Handset:
    """A telephone of the service in somebody's hand. `heard`: what went wrong in its page."""

    territory: Running
    page: Page
    line: Line
    heard: list[str]

    def listen(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.heard.append(str(error)))

    async def press(self, name: str, *, exact: bool = False) -> None:
        await self.page.get_by_role("button", name=name, exact=exact).first.tap()

    async def leads(self, name: str, *, exact: bool = False) -> None:
        async with self.page.expect_navigation():
            await self.press(name, exact=exact)

    async def sees(self, heading: str) -> None:
        await self.page.get_by_role("heading", name=heading, level=1).wait_for()

    async def sign_in(self, key: str) -> None:
        """On the usual page, which the telephone leads to."""
        one = person(self.territory, key)
        await self.leads("Quelqu’un d’autre")
        await self.leads(one["username"], exact=True)
        await self.page.get_by_label("Votre code à 6 chiffres").fill(one["pin"])
        await self.leads("Se connecter")

    async def begin(self, key: str) -> None:
        """The first time of the day."""
        await self.page.goto("/telephone")
        await self.sign_in(key)
        await self.page.get_by_label("Votre code à 6 chiffres").fill(PIN)
        await self.page.get_by_label("Votre code, encore une fois").fill(PIN)
        await self.press("Ouvrir ma tournée")
        await self.sees("Aujourd'hui")
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    async def unlock(self, name: str, pin: str = PIN) -> None:
        await self.press(name)
        await self.page.get_by_label("Votre code à 6 chiffres").fill(pin)
        await self.press("Ouvrir ma tournée")

    async def visit(self, who: str) -> None:
        """With nothing to report, up to the saving of it."""
        await self.press(f"Visite : {who}")
        await self.press("Rien à signaler")
        await self.press("Enregistrer la visite")
        await self.page.get_by_role("button", name="Annuler").wait_for()

    async def later(self) -> None:
        """Once a visit cannot be taken back any more; the seconds that this takes are not waited for."""
        now = await self.page.evaluate("Date.now()")
        await self.page.clock.set_system_time(datetime.fromtimestamp(now / 1000 + 11, UTC))

    async def deliver(self) -> None:
        await self.later()
        await self.press("À envoyer")
        await self.press("Envoyer maintenant")
        await self.state("Tout est envoyé")

    async def state(self, words: str) -> None:
        await self.page.locator("#etat").get_by_text(words).wait_for()

    async def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.page.evaluate(KEPT)
        return found

    async def waiting(self) -> list[str]:
        return [one["visit"] for one in (await self.kept())["visits"] if one["state"] == "ready"]

    def filed(self, visit: str) -> list[dict[str, Any]]:
        """What the service's own software finds of a visit."""
        token = self.territory.token("home_service_manager")
        found = self.territory.get(token, f"Encounter?identifier={VISIT}%7C{visit}%23encounter").json()
        return [entry["resource"] for entry in found.get("entry", [])]


@pytest.fixture(scope="module")
def secret(sandbox: Running) -> Iterator[str]:  # the fixture, as a parameter
    """Of a telephone that the manager has enrolled."""
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        made = Telephone(http)
        made.sign_in(person(sandbox, "home_service_manager"))
        made.enrol("Téléphone sans réseau")
        yield http.cookies["liaison-phone"]


@pytest_asyncio.fixture(loop_scope="session")
async def handset(sandbox: Running, windows: Windows, secret: str) -> AsyncIterator[Handset]:
    line = Line(str(sandbox.known["issuer"]))
    await line.open()
    page = await windows.elsewhere(line.url)
    await page.context.add_cookies([{"name": "liaison-phone", "value": secret, "url": line.url}])
    made = Handset(sandbox, page, line, [])
    made.listen(page)
    yield made
    await page.context.close()
    await line.cut()
    assert made.heard == []


async def test_the_first_day_on_line_then_visits_with_no_network_then_each_is_filed_once(handset: Handset) -> None:
    await handset.page.goto("/telephone")
    await handset.sees("Qui êtes-vous ?")
    await check_page(handset.page)
    await handset.begin("aide2")
    await check_page(handset.page)

    await handset.line.cut()
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    await handset.sees("Aujourd'hui")
    await handset.visit("Jean-Claude J.")
    # Tomorrow's, since other tests visit her today.
    await handset.page.get_by_text("Demain").tap()
    await handset.page.locator("details").get_by_role("button", name="Visite : Annick L.").tap()
    await handset.page.get_by_role("group", name="La personne est-elle là ?").get_by_label("Présente").tap()
    await handset.press("Tout fait")
    await handset.page.get_by_label("Un mot pour l'équipe").fill(NOTE)
    await handset.page.get_by_text("Autre chose à dire").tap()
    await handset.page.get_by_label("Poids (kg)").fill("58,5")
    await check_page(handset.page)
    await handset.press("Enregistrer la visite")
    assert "C'est loin du dernier poids" in await handset.page.get_by_role("alert").first.inner_text()
    await handset.press("Enregistrer la visite")
    await handset.state("2 visites à envoyer, gardées dans ce téléphone")
    await handset.later()
    await handset.press("À envoyer")
    await handset.press("Envoyer maintenant")
    await handset.page.get_by_text("Pas de réseau.").wait_for()
    await check_page(handset.page)
    visits = await handset.waiting()
    assert len(visits) == 2
    await nothing_in_clear(handset, "Jean-Claude", "Annick", NOTE, "zinzolin", "58,5", "meal-all", "inhal")
    assert [handset.filed(one) for one in visits] == [[], []]
    sizes = [len(one["sealed"]) for one in (await handset.kept())["visits"]]
    print(sizes)
    assert max(sizes) <= PAYLOAD

    await handset.line.open()
    await handset.press("Envoyer maintenant")
    await handset.state("Tout est envoyé")
    assert [len(handset.filed(one)) for one in visits] == [1, 1]
    encounters = [one for visit in visits for one in handset.filed(visit)]
    [encounter] = [one for one in encounters if NOTE in told(handset, one)]
    author = encounter["participant"][0]["individual"]["reference"]
    assert author == person(handset.territory, "aide2")["practitioner_role"]


def told(handset: Handset, encounter: dict[str, Any]) -> str:
    token = handset.territory.token("home_service_manager")
    return handset.territory.get(token, f"Communication?encounter=Encounter/{encounter['id']}").text


async def nothing_in_clear(handset: Handset, *words: str) -> None:
    """In what the page keeps: no word as it is, in UTF-16, or in base64 at any of its three shifts."""
    kept = str(await handset.kept())
    assert "Kévin B." in kept  # on the tile that he touches: what is looked through is what is kept
    cached: str = await handset.page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) => { const cache = await caches.open(name);"
        " return (await Promise.all((await cache.matchAll()).map((one) => one.text()))).join('') }))).join('')"
    )
    other: str = await handset.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    for word in words:
        forms = [word, word.encode().decode("latin-1"), word.encode("utf-16-le").decode("latin-1")]
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + word.encode()).decode()
            forms.append(coded[-(-shift * 4 // 3) : len(coded) - 4] if len(word) > 6 else coded)
        for form in forms:
            assert form not in kept + other, form
            if word not in ("meal-all", "inhal"):  # words of the empty form
                assert form not in cached, form
