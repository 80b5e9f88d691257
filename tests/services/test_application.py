"""A worker whose database goes away while it starts, and whose jobs end."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from liaison.fhir.vault import FileKeyProvider
from liaison.services import application
from liaison.services.house import House
from liaison.services.installation import declared
from liaison.services.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    FileKeyProvider.create(tmp_path / "key")
    return Settings(
        database_url=database_url,
        data=tmp_path / "data",
        key_file=tmp_path / "key",
        public_url="https://liaison.test",
        access_log=False,
    )


async def ready(app: Any) -> bool:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker") as client:
        return (await client.get("/readyz")).status_code == 200


async def until_ready(app: Any) -> None:
    async with asyncio.timeout(30):
        while not await ready(app):
            await asyncio.sleep(0.05)


async def test_a_database_lost_just_after_it_was_reached_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []

    async def lost_at_first(*arguments: Any) -> Any:
        asked.append(None)
        if len(asked) == 1:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return await declared(*arguments)

    monkeypatch.setattr("liaison.services.application.declared", lost_at_first)
    app = application.build(settings)
    async with app._rest.router.lifespan_context(app._rest):
        await until_ready(app)

    assert len(asked) == 2


async def test_a_job_that_ends_by_an_error_begins_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Semaphore(0)

    async def job() -> None:
        begun.release()
        raise asyncpg.InternalClientError("got result for unknown protocol state 3")

    monkeypatch.setattr(House, "jobs", lambda _: [job])
    app = application.build(settings)
    async with app._rest.router.lifespan_context(app._rest):
        await until_ready(app)
        async with asyncio.timeout(30):
            await begun.acquire()
            await begun.acquire()
