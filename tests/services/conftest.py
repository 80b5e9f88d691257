"""The real service: `liaison serve` in a process of its own, on a free port, with real tokens, driven from outside.

`service` is shared by the tests of a session; each test makes the patients it needs. `house` opens the same base in
the test's own process, for what no request can do (opening sessions, looking at the journal).
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.roles import ROLES
from liaison.auth.oauth2 import rfc9068
from liaison.auth.sessions import Act, open_session
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.vault import FileKeyProvider
from liaison.services.base import running, url
from liaison.services.house import House
from liaison.services.migrations import migrate_now
from liaison.services.settings import Settings

from .processes import workers_of

T = TypeVar("T")

PEOPLE = {
    "gp": "gp",
    "nurse": "nurse",
    "gp_outside": "gp",
    "stranger": "gp",
    "admin": "admin",
    "auditor": "auditor",
}
"""Key of a person → role."""

STARTED = re.compile(r"Liaison listens on (http://\S+)")


def alone(work: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine in a loop of its own, whether or not one runs here."""

    async def run() -> T:
        return await work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


class Beside:
    """One more house on the base of a service, in a loop of its own: open from the first that is asked of it to `close`.
    To open one for each question took longer than most tests of the service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.AsyncExitStack()
        self._house: House | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="beside", daemon=True)
        self._thread.start()

    def ask(self, work: Callable[[House], Awaitable[T]]) -> T:
        async def run() -> T:
            if self._house is None:
                self._house = await self._stack.enter_async_context(House.opened(self._settings))
            return await work(self._house)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(slots=True)
class Person:
    """Someone of the test territory."""

    practitioner: str
    role: str
    act: Act


@dataclass(slots=True)
class Service:
    """A running service and the people of its territory."""

    url: str
    settings: Settings
    process: subprocess.Popen[str]
    people: dict[str, Person] = field(default_factory=dict)
    organization: str = ""
    beside: Beside | None = None
    """For a base that stays there, and its keys with it, as long as the service."""

    def ask(self, work: Callable[[House], Awaitable[T]]) -> T:
        """Of a house on the same base, in this process."""
        if self.beside is not None:
            return self.beside.ask(work)

        async def opened() -> T:
            async with House.opened(self.settings) as house:
                return await work(house)

        return alone(opened)

    @property
    def workers(self) -> list[int]:
        """The worker processes that live now."""
        return workers_of(self.process)

    @property
    def fhir(self) -> str:
        return f"{self.url}/fhir"

    def token(self, who: str, scope: str = "user/*.cruds") -> str:
        """An access token of this person, as the authorization server would issue it."""

        async def issue(house: House) -> str:
            person = self.people[who]
            async with house.database.writing.acquire() as connection:
                session = await open_session(connection, person.act, scope, 300)
            return await rfc9068.issue(
                house.signing_keys,
                issuer=self.settings.public_url,
                audience=self.settings.fhir_base,
                subject=who,
                client_id="tests",
                session=session,
            )

        return self.ask(issue)

    def client(self, who: str, scope: str = "user/*.cruds") -> httpx.Client:
        """An HTTP client of the FHIR API that acts as this person."""
        headers = {"authorization": f"Bearer {self.token(who, scope)}", "content-type": "application/fhir+json"}
        return httpx.Client(base_url=self.fhir, headers=headers, timeout=60)

    def patient(self, *team: str, **more: Any) -> str:
        """A new patient with a care team of these people (gp and nurse unless said otherwise). Returns its id."""
        participants = [
            {"member": {"reference": reference}, "period": {"start": "2020-01-01"}}
            for who in team or ("gp", "nurse")
            for reference in (self.people[who].practitioner,)
        ]
        patient = {"resourceType": "Patient", "name": [{"family": "ESSAI", "given": ["Personne"]}], **more}
        care_team = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": "urn:uuid:patient"},
            "participant": participants,
        }
        entries = [_entry("urn:uuid:patient", patient), _entry("urn:uuid:team", care_team)]

        return self.write(entries)[0].partition("/")[2]

    def write(self, entries: list[dict[str, Any]]) -> list[str]:
        """A transaction of the territory's maker. Returns the relative references of what it created."""

        return self.ask(lambda house: write(house, entries))


def start(settings: dict[str, str], workers: int = 2, where: Path | None = None) -> subprocess.Popen[str]:
    """`liaison serve` with these settings, in that folder; returns at once."""
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("liaison")), "serve", "--port", "0", "--workers", str(workers)],
        env={**os.environ, **{f"LIAISON_{name}": value for name, value in settings.items()}},
        stdout=subprocess.PIPE,
        text=True,
        cwd=where,
    )


def address(process: subprocess.Popen[str]) -> str:
    """Where it listens, once every worker is ready."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := STARTED.search(line):
            url = found[1]
            break
    else:
        raise AssertionError(f"liaison serve ended with {process.wait()}")
    until = time.monotonic() + 150
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return url
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the service did not become ready")


def end(process: subprocess.Popen[str]) -> None:
    """Stops it, by force if it must be."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _entry(url: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def _practitioner_role(key: str, role: str) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": f"urn:uuid:practitioner-{key}"},
        "organization": {"reference": "urn:uuid:organization"},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": role}]}],
    }


async def write(house: House, entries: list[dict[str, Any]]) -> list[str]:
    """Writes a transaction as the territory's maker; the relative references of what it created."""
    maker = await internal.open_session(house.database.writing, "sandbox")
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    answer = await house.engine.handle(maker, Request("POST", "", "", body, {"prefer": "return=minimal"}))
    assert answer.status == 200, answer.body
    written = json.loads(answer.body)["entry"]
    return ["/".join(entry["response"]["location"].split("/")[-4:-2]) for entry in written]


def _territory() -> list[dict[str, Any]]:
    entries = [_entry("urn:uuid:organization", {"resourceType": "Organization", "active": True, "name": "Maison"})]
    for key, role in PEOPLE.items():
        name = [{"family": key.upper(), "given": ["Test"]}]
        entries.append(_entry(f"urn:uuid:practitioner-{key}", {"resourceType": "Practitioner", "name": name}))
        entries.append(_entry(f"urn:uuid:role-{key}", _practitioner_role(key, role)))
    return entries


async def settle(settings: Settings) -> tuple[dict[str, Person], str]:
    """Writes the directory of the test territory and gives its people."""
    async with House.opened(settings) as house:
        where = await write(house, _territory())
        people = {}
        for number, (key, role) in enumerate(PEOPLE.items()):
            practitioner, held = where[1 + 2 * number], where[2 + 2 * number]

            def res(reference: str) -> int:
                key = house.store.key(*reference.split("/"))
                assert isinstance(key, Key)
                return key.res

            act = Act(
                principals=(res(practitioner), res(held)),
                purpose=ROLES[role].purpose,
                role_code=role,
                practitioner=res(practitioner),
                role=res(held),
                organization=res(where[0]),
            )
            people[key] = Person(practitioner, held, act)
        return people, where[0]


@pytest.fixture(scope="session")
def service_base(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of a service on a fresh base of the shared test server."""
    folder = tmp_path_factory.mktemp("service")
    FileKeyProvider.create(folder / "key")
    name = alone(postgres.create)
    yield {
        "DATABASE_URL": postgres.url(name),
        "DATA": str(folder / "data"),
        "KEY_FILE": str(folder / "key"),
        "PUBLIC_URL": "https://liaison.test",
        "PROXY_SOCKET": str(folder / "proxy.sock"),
        "ACCESS_LOG": "false",
        "CORS_ORIGINS": "https://app.example",
        "CONDITIONAL_DELETE_MOST": "3",
    }
    alone(lambda: postgres.drop(name))


@pytest.fixture(scope="session")
def service(service_base: dict[str, str]) -> Iterator[Service]:
    """The running service, with two workers."""
    settings = Settings.model_validate({name.lower(): value for name, value in service_base.items()})
    people, organization = alone(lambda: settle(settings))
    process, beside = start(service_base), Beside(settings)
    try:
        yield Service(address(process), settings, process, people, organization, beside)
    finally:
        beside.close()
        end(process)


@pytest.fixture
def started() -> Iterator[Callable[[dict[str, str]], tuple[subprocess.Popen[str], str]]]:
    """Starts further services; whatever a test leaves running is killed."""
    processes: list[subprocess.Popen[str]] = []

    def begin(settings: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
        process = start(settings)
        processes.append(process)
        return process, address(process)

    yield begin
    for process in processes:
        end(process)


@pytest.fixture(scope="session")
def embedded_service() -> Callable[[dict[str, str]], contextlib.AbstractContextManager[Service]]:
    """A service on an embedded database of its own, with the people of the test territory."""

    @contextlib.contextmanager
    def run(base: dict[str, str]) -> Iterator[Service]:
        settings = Settings.model_validate({name.lower(): value for name, value in base.items()})
        with running(settings):
            migrate_now(url(settings))
            people, organization = alone(lambda: settle(settings))
        process = start(base)
        try:
            yield Service(address(process), settings, process, people, organization)
        finally:
            end(process)

    return run


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Everything a worker holds open, in the test's own process, on a fresh base."""
    FileKeyProvider.create(tmp_path / "key")
    settings = Settings(
        database_url=database_url,
        data=tmp_path / "data",
        key_file=tmp_path / "key",
        public_url="https://liaison.test",
    )
    async with House.opened(settings) as opened:
        yield opened
