"""A telephone of the service in somebody's hand: its page, the line that it hangs on, and what it keeps."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page

from liaison.services.pages.clock import PARIS
from liaison.services.pages.reading.written import text_of

from ..services.delivery.telephone import Telephone, person
from ..services.oauth.conftest import field as hidden
from ..services.running_sandbox import Running
from .line import Line
from .windows import Windows

PIN = "135790"
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
    """`secret`: what shows that it is one of the service's. `heard`: what went wrong in its page."""

    territory: Running
    page: Page
    line: Line
    secret: str
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
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=re.compile("Quelqu’un d’autre|Se connecter")).tap()
        await self.leads(one["username"], exact=True)
        await self.page.get_by_label("Votre code à 6 chiffres").fill(one["pin"])
        await self.leads("Se connecter")

    def plan(self, key: str, who: str, *, days: int = 0) -> None:
        """A stop of her tour that is this test's own: those of the territory are visited by other tests too."""
        known, start = self.territory.known["patients"], datetime.now(UTC) + timedelta(days=days)
        [patient] = [one["id"] for one in known if key in one["tour"] and one["name"].startswith(who[:-1])]
        line = {
            "resourceType": "Appointment",
            "status": "booked",
            "start": start.isoformat(timespec="seconds"),
            "end": (start + timedelta(minutes=30)).isoformat(timespec="seconds"),
            "participant": [
                {"actor": {"reference": reference}, "status": "accepted"}
                for reference in (f"Patient/{patient}", person(self.territory, key)["practitioner_role"])
            ],
        }
        booked = self.territory.post(self.territory.token("home_service_manager"), "Appointment", line)
        assert booked.status_code == 201, booked.text

    async def begin(self, key: str, *, today: tuple[str, ...] = (), tomorrow: tuple[str, ...] = ()) -> None:
        """The first time of the day, for somebody who has just signed in, and whom she is to visit."""
        for days, people in enumerate((today, tomorrow)):
            for who in people:
                self.plan(key, who, days=days)
        await self.carry_session(key)
        await self.page.goto("/telephone")
        await self.choose_code(PIN)

    async def carry_session(self, key: str) -> None:
        with httpx.Client(base_url=str(self.territory.known["issuer"]), timeout=60) as http:
            http.cookies.set("liaison-phone", self.secret)
            Telephone(http).sign_in(person(self.territory, key))
            await self.carry(self.secret, http.cookies["liaison"])

    async def ready(self) -> None:
        """Waits until the page can be started without a network."""
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    async def carry(self, secret: str, session: str = "") -> None:
        """Puts in the cookies of the telephone, and of whoever is signed in on it."""
        cookies = {"liaison-phone": secret} | ({"liaison": session} if session else {})
        await self.page.context.add_cookies(
            [{"name": name, "value": value, "url": self.line.url} for name, value in cookies.items()]
        )

    async def choose_code(self, pin: str) -> None:
        await self.page.get_by_label("Votre code à 6 chiffres").fill(pin)
        await self.page.get_by_label("Votre code, encore une fois").fill(pin)
        await self.press("Ouvrir ma tournée")
        await self.sees("Aujourd'hui")

    async def unlock(self, name: str, pin: str = PIN) -> None:
        await self.press(name)
        await self.page.get_by_label("Votre code à 6 chiffres").fill(pin)
        await self.press("Ouvrir ma tournée")

    async def tomorrow(self, who: str) -> None:
        """Opens a visit of tomorrow."""
        await self.page.get_by_text("Demain").tap()
        await self.page.locator("details").get_by_role("button", name=f"Visite : {who}").last.tap()

    async def visit(self, who: str) -> None:
        await self.press(f"Visite : {who}")
        await self.nothing_to_report()

    async def nothing_to_report(self) -> None:
        await self.press("Rien à signaler")
        await self.press("Enregistrer la visite")
        await self.page.get_by_role("button", name="Annuler").wait_for()

    async def later(self) -> None:
        """Once a visit cannot be taken back any more; the seconds that this takes are not waited for."""
        now = await self.page.evaluate("Date.now()")
        await self.page.clock.set_system_time(datetime.fromtimestamp(now / 1000 + 11, UTC))

    async def written(self, before: str = "") -> str:
        """Waits until what is being written is kept, otherwise than it was."""
        for _ in range(200):
            drafts = [one["hash"] for one in (await self.kept())["visits"] if one["state"] == "draft"]
            if drafts and drafts[0] != before:
                return str(drafts[0])
            await asyncio.sleep(0.1)
        raise AssertionError("nothing was kept")

    async def ended(self) -> None:
        """Waits until nobody is signed in here any more."""
        for _ in range(200):
            if (await self.page.request.get("/telephone/qui")).status == 401:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("somebody is signed in still")

    async def send(self) -> None:
        await self.later()
        await self.press("À envoyer")
        await self.press("Envoyer maintenant")

    async def online(self) -> None:
        """What a browser says when there is a network again. The page may have sent by itself before."""
        await self.later()
        await self.page.evaluate("dispatchEvent(new Event('online'))")

    async def deliver(self) -> None:
        await self.online()
        await self.state("Tout est envoyé")

    async def state(self, words: str) -> None:
        await self.page.locator("#etat").get_by_text(words).wait_for()

    async def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.page.evaluate(KEPT)
        return found

    async def waiting(self) -> list[str]:
        return [one["visit"] for one in (await self.kept())["visits"] if one["state"] == "ready"]

    def author(self, encounter: dict[str, Any]) -> str:
        """The key of whoever is said to have made the visit."""
        role = encounter["participant"][0]["individual"]["reference"]
        return next(str(one["key"]) for one in self.territory.known["people"] if one.get("practitioner_role") == role)

    def words(self, encounter: dict[str, Any]) -> str:
        """What was written to the team at that visit."""
        token = self.territory.token("home_service_manager")
        found = self.territory.get(token, f"DocumentReference?encounter=Encounter/{encounter['id']}").json()
        return "\n".join(text_of(entry["resource"]) for entry in found.get("entry", []))

    def filed(self, visit: str) -> list[dict[str, Any]]:
        """What the service's own software finds of a visit."""
        token = self.territory.token("home_service_manager")
        found = self.territory.get(token, f"Encounter?identifier={VISIT}%7C{visit}%23encounter").json()
        return [entry["resource"] for entry in found.get("entry", [])]

    def designate(self, key: str, *, nobody: bool = False) -> None:
        """Who is to read reports of suspected abuse, by the manager's desk; `nobody`: they are taken off."""
        with desk(self.territory, "home_service_manager") as http:
            form = {"csrf": hidden(http.get("/signalements").text, "csrf")}
            role = person(self.territory, key)["practitioner_role"]
            act = "retirer" if nobody else "designer"
            assert http.post(f"/signalements/{act}", data={**form, "personne": role}).status_code == 303

    def stay(self, who: str, act: str) -> None:
        """What the manager confirms today of somebody: `entree` or `sortie`."""
        [patient] = [one["id"] for one in self.territory.known["patients"] if one["name"].startswith(who)]
        path, today = f"/service/sejour/{patient}", f"{datetime.now(PARIS):%Y-%m-%d}"
        with desk(self.territory, "home_service_manager") as http:
            form = {"csrf": hidden(http.get(path).text, "csrf"), "acte": act, "jour": today}
            assert http.post(path, data=form).status_code == 303

    @contextmanager
    def noted(self, path: str, **form: object) -> Iterator[None]:
        """What the manager notes at her desk with days and hours, as long as a test wants it."""
        with desk(self.territory, "home_service_manager") as http:
            assert http.post(path, data={"csrf": hidden(http.get(path).text, "csrf"), **form}).status_code == 303
            try:
                yield
            finally:
                _, *cards = http.get(path).text.split('<li class="liaison-card">')
                for card in cards:
                    ended = {name: hidden(card, name) for name in ("csrf", "numero")}
                    assert http.post(f"{path}/fin", data=ended).status_code == 303

    def reads(self, key: str, path: str) -> str:
        """A page, as somebody with a password reads it."""
        with desk(self.territory, key) as http:
            return http.get(path).text

    def opposed(self, number: str) -> list[dict[str, Any]]:
        """The provisional Consents that came of it, as the service's own software finds them."""
        token = self.territory.token("home_service_manager")
        found = self.territory.get(token, f"Consent?identifier={VISIT}%7C{number}%23opposition&status=proposed").json()
        return [entry["resource"] for entry in found.get("entry", [])]


@contextmanager
def desk(territory: Running, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=str(territory.known["issuer"]), timeout=60) as http:
        one, page = person(territory, key), http.get("/connexion").text
        form = {name: hidden(page, name) for name in ("csrf", "suite")}
        answer = http.post("/connexion", data={**form, "identifiant": one["username"], "secret": one["password"]})
        assert answer.status_code == 303
        yield http


@contextmanager
def enrolled(territory: Running) -> Iterator[Telephone]:
    """The manager's desk, on a telephone that she has just enrolled."""
    with httpx.Client(base_url=str(territory.known["issuer"]), timeout=60) as http:
        made = Telephone(http)
        made.sign_in(person(territory, "home_service_manager"))
        made.enrol("Téléphone sans réseau")
        yield made


@pytest.fixture(scope="session")
def secret(sandbox: Running) -> str:  # the fixture, as a parameter
    with enrolled(sandbox) as desk:
        return desk.http.cookies["liaison-phone"]


@pytest_asyncio.fixture(loop_scope="session")
async def handset(sandbox: Running, windows: Windows, secret: str) -> AsyncIterator[Handset]:
    line = Line(str(sandbox.known["issuer"]))
    await line.open()
    page = await windows.elsewhere(line.url)
    made = Handset(sandbox, page, line, secret, [])
    made.listen(page)
    await made.carry(secret)
    yield made
    await page.context.close()
    await line.cut()
    assert made.heard == []
