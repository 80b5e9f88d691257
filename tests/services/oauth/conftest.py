"""The authorization server and the pages in this process, over a real house; a browser is an HTTP client with cookies."""

import base64
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from liaison.auth.access import internal, vocabulary
from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.rfc7636 import challenge_of
from liaison.auth.people import hashes
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.vault import FileKeyProvider
from liaison.services.house import House
from liaison.services.installation import Kind, declare
from liaison.services.oauth.routes import routes as oauth_routes
from liaison.services.pages.routes import routes as pages_routes
from liaison.services.settings import Settings

URL = "https://liaison.test"
FHIR = f"{URL}/fhir"
PASSWORD = "cheval exact pile agrafe"
REDIRECT = "https://app.example/callback"
APP_SCOPE = (
    "openid fhirUser offline_access online_access launch launch/patient launch/encounter user/*.cruds patient/*.rs"
)
SCOPE = "openid fhirUser user/Observation.rs user/Patient.rs"


@dataclass
class Place:
    """An open house with its sign-in pages, and who lives there."""

    house: House
    app: Starlette
    app_client: Client
    patient: str = ""
    other_patient: str = ""

    def browser(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        """A browser with nothing in it. It does not follow redirects."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=URL)

    @asynccontextmanager
    async def signed_in(self, username: str = "nurse") -> AsyncIterator[httpx.AsyncClient]:
        async with self.browser() as browser:
            answer = await sign_in(browser, username)
            assert answer.status_code == 303, answer.text
            yield browser


def field(page: str, name: str) -> str:
    """The value of a hidden field, as a browser would send it back."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag, f"no field {name}"
    value = re.search(r'value="([^"]*)"', tag[0])
    return value[1].replace("&amp;", "&").replace("&#39;", "'").replace("&#34;", '"') if value else ""


async def sign_in(
    browser: httpx.AsyncClient, username: str, secret: str = PASSWORD, path: str = "/connexion"
) -> httpx.Response:
    page = await browser.get(path)
    form = {name: field(page.text, name) for name in ("csrf", "suite")}
    return await browser.post("/connexion", data={**form, "identifiant": username, "secret": secret})


def query_of(answer: httpx.Response) -> dict[str, str]:
    """The parameters of the address that the browser is sent to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


VERIFIER = secrets.token_urlsafe(48)


def asking(**changes: str | None) -> dict[str, str]:
    """The parameters of a good authorization request, with changes."""
    made = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
        "state": "state 1",
        "aud": FHIR,
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        "nonce": "nonce-1",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


BOX = re.compile(r'name="scope" type="checkbox" value="([^"]*)"')


async def agree(browser: httpx.AsyncClient, decision: str = "accept", **changes: Any) -> httpx.Response:
    """Chooses patient and encounter where that is asked, reads the consent page and answers it. `without`: boxes to
    untick."""
    patient, without = changes.pop("patient", None), changes.pop("without", ())
    encounter = changes.pop("encounter", "")
    page = await browser.get("/oauth/authorize", params=asking(**changes))
    if "location" in page.headers:
        return page
    assert page.status_code == 200, page.text
    form = {name: field(page.text, name) for name in ("csrf", "request")}
    if encounter:
        form["encounter"] = encounter
    if 'value="choose"' in page.text:
        page = await browser.post("/oauth/consent", data={**form, "patient": patient or "", "decision": "choose"})
    boxes = [box for box in BOX.findall(page.text) if box not in without]
    if 'type="hidden" name="patient"' in page.text:
        form["patient"] = patient or field(page.text, "patient")
    return await browser.post("/oauth/consent", data={**form, "decision": decision, "scope": boxes})


async def redeem(browser: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "app",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    return await browser.post("/oauth/token", data={**form, **changes})


def claims_of(token: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return content


PEOPLE = {
    "nurse": ("nurse",),
    "both": ("nurse", "coordinator"),
    "none": (),
    "admin": ("admin",),
    "dpo": ("dpo",),
    "manager": ("admin", "dpo"),
}
IDNPS = "urn:oid:1.2.250.1.71.4.2.1"


def _entries() -> list[dict[str, Any]]:
    def entry(name: str, resource: dict[str, Any]) -> dict[str, Any]:
        request = {"method": "POST", "url": resource["resourceType"]}
        return {"fullUrl": f"urn:uuid:{name}", "resource": resource, "request": request}

    made = [entry("house", {"resourceType": "Organization", "name": "Maison de santé de Kervanec", "active": True})]
    for person, roles in PEOPLE.items():
        name = [{"family": person.upper(), "given": ["Camille"]}]
        known = [{"system": IDNPS, "value": f"8{person}000"}]
        made.append(entry(person, {"resourceType": "Practitioner", "identifier": known, "name": name, "active": True}))
        for role in roles:
            made.append(
                entry(
                    f"{person}-{role}",
                    {
                        "resourceType": "PractitionerRole",
                        "active": True,
                        "practitioner": {"reference": f"urn:uuid:{person}"},
                        "organization": {"reference": "urn:uuid:house"},
                        "code": [{"coding": [{"system": vocabulary.ROLE, "code": role}]}],
                    },
                )
            )
    for patient, member in (("patient", "nurse"), ("stranger", None)):
        named = [{"family": "LE GOFF", "given": [patient.capitalize()]}]
        made.append(entry(patient, {"resourceType": "Patient", "name": named, "birthDate": "1950-02-03"}))
        team: dict[str, Any] = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": f"urn:uuid:{patient}"},
        }
        if member:
            team["participant"] = [{"member": {"reference": f"urn:uuid:{member}"}, "period": {"start": "2020-01-01"}}]
        made.append(entry(f"team-{patient}", team))
    return made


async def _settle(house: House) -> dict[str, Key]:
    """Writes the territory as its maker; the key of each resource by its name above."""
    maker = await internal.open_session(house.database.writing, "sandbox")
    entries = _entries()
    body = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    answer = await house.engine.handle(maker, Request("POST", "", "", body))
    assert answer.status == 200, answer.body
    found = {}
    for entry, result in zip(entries, orjson.loads(answer.body)["entry"], strict=True):
        type_, id_ = result["response"]["location"].split("/")[-4:-2]
        key = house.store.key(type_, id_)
        assert key is not None
        found[entry["fullUrl"].removeprefix("urn:uuid:")] = key
    return found


async def _hash() -> str:
    if not _hashes:
        _hashes.append(await hashes.hashed(PASSWORD))
    return _hashes[0]


_hashes: list[str] = []


def settings_of(database_url: str, folder: Path) -> Settings:
    FileKeyProvider.create(folder / "key")
    return _settings(database_url, folder)


def _settings(database_url: str, folder: Path) -> Settings:
    return Settings(
        data=folder / "data", database_url=database_url, key_file=folder / "key", public_url=URL, access_log=False
    )


@dataclass(frozen=True, slots=True)
class Furnished:
    """A base with the people of a place, and its key, to be copied: to make them takes longer than most tests."""

    database: str
    key: Path
    client: Client
    patient: str
    other_patient: str

    def place(self, house: House) -> Place:
        return Place(house, _app(house), self.client, self.patient, self.other_patient)


_furnished: list[Furnished] = []


async def furnished(postgres: Any, folders: pytest.TempPathFactory) -> Furnished:
    """Made once in a process of a test run."""
    if not _furnished:
        folder, name = folders.mktemp("furnished"), await postgres.create()
        async with open_place(settings_of(postgres.url(name), folder)) as made:
            _furnished.append(Furnished(name, folder / "key", made.app_client, made.patient, made.other_patient))
    return _furnished[0]


@pytest.fixture
async def settings(postgres: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """Of a copy of the furnished base."""
    original = await furnished(postgres, tmp_path_factory)
    name = await postgres.create(original.database)
    shutil.copy2(original.key, tmp_path / "key")
    yield _settings(postgres.url(name), tmp_path)
    await postgres.drop(name)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Of every place: to make them anew for each takes longer than to copy its base."""
    return (*oauth_routes(), *pages_routes())


def _app(house: House) -> Starlette:
    app = Starlette(routes=_routes())
    app.state.house = house
    return app


@asynccontextmanager
async def open_place(settings: Settings) -> AsyncIterator[Place]:
    """On an empty base."""
    async with House.opened(settings) as house:
        async with house.database.writing.acquire() as connection:
            await declare(connection, house.vault, Kind.SANDBOX)  # where a password alone is enough
        keys = await _settle(house)
        async with house.database.writing.acquire() as connection:
            for number, person in enumerate((*PEOPLE, "patient"), 1):
                # One hash for all, made once: Argon2id is slow on purpose.
                await connection.execute(
                    "insert into account (account, username, password, fhir_kind, fhir_patient, fhir_res)"
                    " values ($1, $2, $3, $4, $5, $6)",
                    number,
                    person,
                    await _hash(),
                    keys[person].kind,
                    keys[person].patient,
                    keys[person].res,
                )
            client = await clients.add(
                connection,
                client_id="app",
                kind="app",
                name="Cabinet+",
                scope=APP_SCOPE,
                redirect_uris=[REDIRECT, "fr.example.app:/cb"],
                launch_url="https://app.example/launch",
                post_logout_redirect_uris=["https://app.example/bye"],
            )
        ids = {name: house.store.id(key) for name, key in keys.items() if name in ("patient", "stranger")}
        yield Place(house, _app(house), client, ids["patient"], ids["stranger"])


@pytest.fixture
async def place(settings: Settings) -> AsyncIterator[Place]:
    async with House.opened(settings) as house:
        yield _furnished[0].place(house)


@pytest.fixture(scope="module")
async def shared(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One place for the tests of a module: each signs in anew, and leaves people and registrations as they are."""
    name = await postgres.create()
    async with open_place(settings_of(postgres.url(name), tmp_path_factory.mktemp("place"))) as opened:
        yield opened
    await postgres.drop(name)


async def declared_as(place: Place, kind: Kind | None) -> None:
    """Makes it a base for real people, or (None) one that does not say what it is, or a sandbox again: no base becomes
    another by itself."""
    async with place.house.database.writing.acquire() as connection:
        if kind is Kind.PRODUCTION:
            await connection.execute("delete from installation")
            await declare(connection, place.house.vault, kind)
        else:
            await connection.execute("update installation set installation = $1", 0 if kind else 1)


Browser = Callable[[], httpx.AsyncClient]
