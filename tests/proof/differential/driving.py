"""The real application in this process, over HTTP: a world written into it, and callers with tokens of their own."""

import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from liaison.auth.access import internal, mandates
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller as Session
from liaison.auth.oauth2 import rfc9068
from liaison.auth.sessions import Act, open_session
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.vault import FileKeyProvider
from liaison.services import application
from liaison.services.house import House
from liaison.services.settings import Settings

from .facts import Tree
from .labels import patient_of, version_of
from .rights import Held, World
from .worlds import Maker

URL = "https://liaison.test"
_numbers = itertools.count(1)


@dataclass
class Caller:
    """Who asks. `only` is the one patient whom the session is about, if it is about one."""

    name: str
    held: Held
    act: Act
    only: str = ""
    token: str = ""
    issued: float = 0


@dataclass
class Place:
    """A running application, and what the reference knows of it."""

    house: House
    client: httpx.AsyncClient
    maker: Session
    world: World = field(default_factory=World)
    callers: list[Caller] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)

    def res(self, reference: str) -> int:
        key = self.house.store.key(*reference.split("/"))
        assert isinstance(key, Key)
        return key.res

    async def ask(
        self, caller: Caller, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        if time.monotonic() - caller.issued > 200:
            await self._sign_in(caller)
        given = {"authorization": f"Bearer {caller.token}", "content-type": "application/fhir+json", **(headers or {})}
        content = json.dumps(body).encode() if body is not None else None
        return await self.client.request(method, f"{URL}/fhir/{path}", content=content, headers=given)

    async def _sign_in(self, caller: Caller) -> None:
        scope = "system/*.cruds" if caller.held.software else "user/*.cruds"
        async with self.house.database.writing.acquire() as connection:
            session = await open_session(connection, caller.act, scope, 3600)
        caller.token = await rfc9068.issue(
            self.house.signing_keys,
            issuer=self.house.settings.public_url,
            audience=self.house.settings.fhir_base,
            subject=caller.name,
            client_id="tests",
            session=session,
        )
        caller.issued = time.monotonic()

    async def as_maker(self, method: str, path: str, body: Any = None) -> Any:
        """What the maker of the territory, who sees everything, is told."""
        content = json.dumps(body).encode() if body is not None else b""
        path, _, query = path.partition("?")
        answer = await self.house.engine.handle(
            self.maker, Request(method, path, query, content, {"prefer": "return=representation"})
        )
        assert answer.status < 300, answer.body
        return json.loads(answer.body)

    # ---- a world ----

    async def settle(self, made: Maker, patients: int) -> None:
        """The directory and its software first: whose an entry is, and who may see it, depends on both."""
        resources = made.world(patients)
        named: dict[str, str] = {}
        for of_patients in (False, True):
            await self._write(
                {name: one for name, one in resources.items() if name.startswith("patient-") is of_patients}, named
            )
            if not of_patients:
                await self._software()
                if made.mandated:
                    await self._mandate()
        self.patients = [named[name] for name in made.patients]
        self._people()

    async def _write(self, resources: dict[str, Tree], named: dict[str, str]) -> None:
        text = json.dumps([
            {"fullUrl": f"urn:uuid:{name}", "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
            for name, tree in resources.items()
        ])  # fmt: skip
        text = re.sub('"urn:uuid:([^"]+)"', lambda found: json.dumps(named.get(found[1], f"urn:uuid:{found[1]}")), text)
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": json.loads(text)}
        for name, entry in zip(resources, (await self.as_maker("POST", "", bundle))["entry"], strict=True):
            tree = entry["resource"]
            named[name] = f"{tree['resourceType']}/{tree['id']}"
            self.world.write(version_of(self.world, tree, patient_of(tree), None, None))

    def _people(self) -> None:
        for held in self.world.held():
            act = Act(
                principals=(self.res(held.person), self.res(held.ref)),
                purpose=ROLES[held.code].purpose,
                role_code=held.code,
                practitioner=self.res(held.person),
                role=self.res(held.ref),
                organization=self.res(held.organization) if held.organization else 0,
            )
            self.callers.append(Caller(held.code, held, act))
        for patient in self.patients:
            self._person(patient, "patient", patient)
            represented = {fact.who for fact in self.world.facts(patient) if fact.relation == "represented"}
            for tree in self.world.trees("RelatedPerson", patient):
                ref = f"RelatedPerson/{tree['id']}"
                self._person(ref, "guardian" if ref in represented else "caregiver", patient)

    def _person(self, ref: str, code: str, patient: str) -> None:
        key = self.house.store.key(*patient.split("/"))
        assert isinstance(key, Key)
        res = self.res(ref)
        act = Act((res,), ROLES[code].purpose, code, practitioner=res, only_patient=key.patient)
        self.callers.append(Caller(code, Held(ref, ref, "", code), act, patient))

    async def _mandate(self) -> None:
        [auditor] = [one for one in self.world.held() if one.code == "auditor"]
        async with self.house.database.writing.acquire() as connection, connection.transaction():
            await mandates.give(connection, self.house.vault, self.res(auditor.organization), "Convention d'essai")
        self.world.mandated.add(auditor.organization)

    async def _software(self) -> None:
        for code in ("nurse", "home-service-manager", "gp"):
            organization = next(one.organization for one in self.world.held() if one.code == code and one.organization)
            number, purpose = next(_numbers), ROLES[code].purpose
            await self.house.database.writing.execute(
                "insert into client (client, client_id, kind, name, scope, organization, role_code, purpose)"
                " values ($1, $2, 'backend', $2, '', $3, $4, $5)",
                number, f"client-{number}", self.res(organization), code, int(purpose),
            )  # fmt: skip
            act = Act((number,), purpose, code, client=number, organization=self.res(organization))
            held = Held(f"Client/{number}", f"Client/{number}", organization, code, software=True)
            self.callers.append(Caller(f"software of a {code}", held, act))


@asynccontextmanager
async def opened(database_url: str, folder: Path) -> AsyncIterator[Place]:
    FileKeyProvider.create(folder / "key")
    settings = Settings(
        database_url=database_url, data=folder / "data", key_file=folder / "key", public_url=URL, access_log=False
    )
    app = application.build(settings)
    async with app._rest.router.lifespan_context(app._rest):
        house: House = app._rest.state.house
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=URL, timeout=60) as client:
            yield Place(house, client, await internal.open_session(house.database.writing, "sandbox"))
