"""What the benchmark measures: the given records, imported as an operator would, and a clinician who may see them."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx
from tests.bench import multiply

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.oauth2 import rfc9068
from liaison.auth.sessions import Act, open_session
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.vault import FileKeyProvider
from liaison.services import base
from liaison.services.house import House
from liaison.services.settings import Settings

Tree = dict[str, Any]
CODES: Final = ("8302-2", "29463-7", "39156-5", "8867-4", "9279-1", "8480-6", "8462-4", "72514-3")
"""LOINC codes of vital signs, of which everybody has some."""
LIAISON: Final = str(Path(sys.executable).with_name("liaison"))


def settings_in(folder: Path) -> Settings:
    """A fresh installation on the embedded database, with its key outside the data."""
    FileKeyProvider.create(folder / "key")
    return Settings(data=folder / "data", key_file=folder / "key", public_url="http://127.0.0.1", access_log=False)


def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "LIAISON_DATA": str(settings.data),
        "LIAISON_KEY_FILE": str(settings.key_file),
        "LIAISON_PUBLIC_URL": settings.public_url,
        "LIAISON_ACCESS_LOG": "false",
    }


def migrated(settings: Settings) -> None:
    subprocess.run([LIAISON, "migrate"], env=environment(settings), check=True, capture_output=True)


def load(settings: Settings, samples: Path) -> tuple[int, float]:
    """(resources stored, seconds) of `liaison import`, its start included."""
    migrated(settings)
    began = time.monotonic()
    command = [LIAISON, "import", "--unresolved=logical", "--json", str(samples)]
    done = subprocess.run(command, env=environment(settings), check=True, capture_output=True, text=True)
    report = json.loads(done.stdout)
    return sum(report["created"].values()), time.monotonic() - began


def multiplied(settings: Settings, scale: int) -> int:
    """Writes what is stored so many times over (multiply.py); how many current versions there are then."""

    async def work() -> int:
        async with House.opened(settings) as house:
            await multiply.multiply(house, scale)
            count = "select count(*) from version where superseded is null"
            return int(await house.database.reading.fetchval(count))

    with base.running(settings):
        return asyncio.run(work())


@contextmanager
def serving(settings: Settings, workers: int, more: Mapping[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """(address, process id) of `liaison serve` while it runs."""
    command = [LIAISON, "serve", "--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(
        command, env={**environment(settings), **(more or {})}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        address = next(line.split()[-1] for line in process.stdout if line.startswith("Liaison listens on "))
        while True:
            try:
                if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


class Maker:
    """Who makes the territory: an internal session that may write everything."""

    def __init__(self, house: House, session: Caller) -> None:
        self.house, self.session = house, session

    @classmethod
    async def of(cls, house: House) -> Self:
        return cls(house, await internal.open_session(house.database.writing, "sandbox"))

    async def write(self, trees: Mapping[str, Tree]) -> list[str]:
        """The references of these resources, by the names that they use among each other."""
        return await self._sent(
            {"fullUrl": name, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
            for name, tree in trees.items()
        )

    async def rewrite(self, trees: Mapping[str, Tree]) -> None:
        """A new version of each, by its reference."""
        await self._sent(
            {"resource": {**tree, "id": name.partition("/")[2]}, "request": {"method": "PUT", "url": name}}
            for name, tree in trees.items()
        )

    async def _sent(self, entries: Iterable[Tree]) -> list[str]:
        body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}).encode()
        answer = await self.house.engine.handle(self.session, Request("POST", "", "", body))
        assert answer.status == 200, answer.body
        return ["/".join(e["response"]["location"].split("/")[-4:-2]) for e in json.loads(answer.body)["entry"]]

    async def professional(self, code: str) -> tuple[str, str, Act]:
        """(Practitioner, PractitionerRole, rights) of someone in that role, in a practice of their own."""
        practice, person, role = await self.write(
            {
                "urn:uuid:practice": {"resourceType": "Organization", "active": True, "name": "Maison de santé"},
                "urn:uuid:person": {"resourceType": "Practitioner", "name": [{"family": "ESSAI"}]},
                "urn:uuid:role": {
                    "resourceType": "PractitionerRole",
                    "active": True,
                    "practitioner": {"reference": "urn:uuid:person"},
                    "organization": {"reference": "urn:uuid:practice"},
                    "code": [{"coding": [{"system": vocabulary.ROLE, "code": code}]}],
                },
            }
        )
        act = Act(
            principals=(self._res(person), self._res(role)),
            purpose=ROLES[code].purpose,
            role_code=code,
            practitioner=self._res(person),
            role=self._res(role),
            organization=self._res(practice),
        )
        return person, role, act

    def _res(self, reference: str) -> int:
        key = self.house.store.key(*reference.split("/"))
        assert isinstance(key, Key)
        return key.res


def team(patient: str, member: str) -> Tree:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": patient},
        "participant": [{"member": {"reference": member}, "period": {"start": "2020-01-01"}}],
    }


async def settle(house: House) -> Act:
    """A practice, its doctor, and that doctor on the care team of everyone who is stored."""
    maker = await Maker.of(house)
    doctor, _role, act = await maker.professional("gp")
    rows = await house.database.reading.fetch(
        "select patient, kind, res from version where superseded is null and kind = $1", kind_of("Patient")
    )
    for row in rows:
        await maker.write({"urn:uuid:team": team(f"Patient/{house.store.id(Key(*row))}", doctor)})
    return act


async def token(house: House, act: Act) -> str:
    """An access token of the doctor, as the authorization server issues it: five minutes, one for each measure."""
    async with house.database.writing.acquire() as connection:
        session = await open_session(connection, act, "user/*.cruds", 300)
    return await rfc9068.issue(
        house.signing_keys,
        issuer=house.settings.public_url,
        audience=house.settings.fhir_base,
        subject="bench",
        client_id="bench",
        session=session,
    )


async def caller(house: House, act: Act) -> Caller:
    """The doctor, for a question asked within this process."""
    async with house.database.writing.acquire() as connection:
        session = await open_session(connection, act, "user/*.cruds", 3600)
    return Caller(
        session,
        read_scopes("user/*.cruds"),
        act.purpose,
        act.role_code,
        practitioner=act.practitioner,
        role=act.role,
        organization=act.organization,
    )


async def define(house: House, parameter: Tree) -> None:
    """A search parameter that is not R4's, a value set and a hierarchy of codes, ready to be searched by."""
    maker = await internal.open_session(house.database.writing, "sandbox")
    codes: Tree = {"resourceType": "ValueSet", "url": "https://liaison.test/ValueSet/bench", "status": "active"}
    codes |= {"compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": one} for one in CODES]}]}}
    system: Tree = {"resourceType": "CodeSystem", "url": "http://loinc.org", "status": "active", "content": "complete"}
    below = [{"code": one} for one in CODES]
    system |= {"hierarchyMeaning": "is-a", "concept": [{"code": "bench", "concept": below}]}
    for tree in (parameter, codes, system):
        answer = await house.engine.handle(maker, Request("POST", tree["resourceType"], "", json.dumps(tree).encode()))
        assert answer.status == 201, answer.body
    while (await house.store.parameters.refreshed()).waiting:
        await asyncio.sleep(0.2)  # a worker of the service indexes what is stored
