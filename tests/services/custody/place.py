"""A town's base, what is kept outside it, and empty bases to restore into."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from liaison.auth.access import internal
from liaison.auth.journal.integrator import Integrator
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.store.database import SCHEMA, connection
from liaison.fhir.vault import FileKeyProvider
from liaison.services.custody import archive, outside
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person, settle, write


@dataclass
class Place:
    """A town's base, its folder outside, and empty bases to restore into."""

    settings: Settings
    house: House
    people: dict[str, Person]
    empty: Callable[[], Awaitable[str]]
    folder: Path

    @property
    def kept(self) -> Path:
        return self.settings.outside_folder

    @property
    def provider(self) -> FileKeyProvider:
        assert self.settings.key_file is not None
        return FileKeyProvider(self.settings.key_file)

    async def patient(self, *team: str) -> int:
        """The number of a new patient with a care team of these people."""
        entries: list[dict[str, Any]] = [
            {
                "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
                "resource": {"resourceType": "Patient", "name": [{"family": "ESSAI"}]},
                "request": {"method": "POST", "url": "Patient"},
            },
            {
                "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002",
                "resource": {
                    "resourceType": "CareTeam",
                    "status": "active",
                    "subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
                    "participant": [
                        {"member": {"reference": self.people[who].practitioner}, "period": {"start": "2020-01-01"}}
                        for who in team
                    ],
                },
                "request": {"method": "POST", "url": "CareTeam"},
            },
        ]
        reference = (await write(self.house, entries))[0]
        key = self.house.store.key(*reference.split("/"))
        assert isinstance(key, Key)
        return key.patient

    async def change(self, method: str, path: str, resource: dict[str, Any]) -> dict[str, Any]:
        maker = await internal.open_session(self.house.database.writing, "sandbox")
        answer = await self.house.engine.handle(maker, Request(method, path, "", json.dumps(resource).encode()))
        assert answer.status in (200, 201), answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def backup(self) -> Path:
        where = self.folder / archive.name_now() / secrets.token_hex(4)
        where.parent.mkdir(parents=True, exist_ok=True)
        one = await connection(self.house.database.url)
        try:
            async with one.transaction(isolation="repeatable_read", readonly=True):
                await archive.write(one, where, SCHEMA, self.house.journal_keys.signer)
        finally:
            await one.close()
        return where

    async def settle_journal(self) -> None:
        """What the jobs of a worker do within two seconds: positions, checkpoint, the files outside."""
        one = await connection(self.house.database.url)

        try:
            integrator = Integrator(self.house.journal_keys, self.kept / outside.CHECKPOINT)
            await integrator.take(one)
            await integrator.integrate(one)
            while await outside.follow(one, self.house.journal_keys, self.kept):
                pass
        finally:
            await one.close()


@pytest.fixture
async def place(database_url: str, postgres: Any, tmp_path: Path) -> AsyncIterator[Place]:
    FileKeyProvider.create(tmp_path / "key")
    settings = Settings(data=tmp_path / "data", key_file=tmp_path / "key", database_url=database_url)
    people, _ = await settle(settings)
    names: list[str] = []

    async def empty() -> str:
        names.append(f"restored_{secrets.token_hex(4)}")
        await postgres._as_administrator(f"create database {names[-1]} owner liaison")
        url: str = postgres.url(names[-1])
        return url

    async with House.opened(settings) as house:
        yield Place(settings, house, people, empty, tmp_path / "backups")
    for name in names:
        await postgres.drop(name)


async def rows(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    one = await connection(url)
    try:
        return [tuple(row) for row in await one.fetch(query, *values)]
    finally:
        await one.close()


async def restored_house(place: Place, url: str) -> Settings:
    return place.settings.model_copy(update={"database_url": url})


GRANTS = "select patient, principal, purpose, mask, rule, relation from access_grant order by 1, 2, 3, 4, 5, 6"
BODIES = "select patient, kind, res, version, at, clinical, deleted, classes, superseded is null, sealed from version order by 1, 2, 3, 4"


async def patient_id(place: Place, patient: int) -> str:
    (row,) = await rows(
        place.house.database.url,
        "select res from version where patient = $1 and kind = $2",
        patient,
        kind_of("Patient"),
    )
    return place.house.store.id(Key(patient, kind_of("Patient"), row[0]))
