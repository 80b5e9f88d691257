"""For whom an import waits inside the base: for those who look for what it makes, not for those who make the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from liaison.auth.access import internal
from liaison.services.house import House
from liaison.services.loading.loader import Loader
from liaison.services.loading.report import Report
from liaison.services.loading.sources import groups

Tree = dict[str, Any]

LONG: Final = 60
"""Seconds after which one waits for ever."""
CARRIED: Final = {"system": "urn:groups", "value": "9"}


def bundle(type_: str) -> Tree:
    """A person, and something of theirs; one of the two carries the identifier."""
    patient: Tree = {"resourceType": "Patient", "birthDate": "1950-01-02"}
    flag: Tree = {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "x"},
        "subject": {"reference": "urn:uuid:p"},
    }
    (patient if type_ == "Patient" else flag)["identifier"] = [CARRIED]
    entries = [{"fullUrl": "urn:uuid:p", "resource": patient}, {"fullUrl": "urn:uuid:f", "resource": flag}]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


async def imported(house: House, path: Path) -> Report:
    caller = await internal.open_session(house.database.writing, "import")
    loader = Loader(house.store, caller, house.settings.fhir_base, "files", logical=False)
    return await loader.load(groups([path]))


@asynccontextmanager
async def somebody(house: House, *, looks: bool) -> AsyncIterator[None]:
    """A transaction elsewhere that has the identifier: of one who looks for it, or of an import that makes one as well."""
    tokens = house.store.lock_tokens({"identifier": [CARRIED]})
    await house.store.make_shareable(tokens)
    async with house.database.writing.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await house.store.lock(connection, tokens if looks else (), () if looks else tokens, () if looks else tokens)
        try:
            yield
        finally:
            await transaction.rollback()


async def waits(house: House) -> None:
    while not await house.database.reading.fetchval("select exists (select from pg_locks where not granted)"):
        await asyncio.sleep(0.01)


async def test_who_makes_the_same_identifier_is_not_waited_for(house: House, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(bundle("Flag")))

    async with somebody(house, looks=False), asyncio.timeout(LONG):
        report = await imported(house, tmp_path / "a.json")

    assert report.created == {"Patient": 1, "Flag": 1}


@pytest.mark.parametrize(("type_", "looks"), [("Flag", True), ("Patient", False)], ids=["sought", "of a person"])
async def test_who_looks_for_what_is_made_is_waited_for(house: House, tmp_path: Path, type_: str, looks: bool) -> None:
    """And whoever makes a person of the same identifier, one after the other."""
    (tmp_path / "a.json").write_text(json.dumps(bundle(type_)))

    async with asyncio.timeout(LONG):
        async with somebody(house, looks=looks):
            importing = asyncio.create_task(imported(house, tmp_path / "a.json"))
            await waits(house)
            assert not importing.done()
        report = await importing

    assert report.created == {"Patient": 1, "Flag": 1}


async def test_what_an_import_changes_waits_no_more_than_what_it_makes(house: House, tmp_path: Path) -> None:
    """In one attempt: what the version before it carried is known by then."""
    first = bundle("Flag")
    (tmp_path / "a.json").write_text(json.dumps(first))
    await imported(house, tmp_path / "a.json")
    first["entry"][1]["resource"]["status"] = "inactive"
    (tmp_path / "a.json").write_text(json.dumps(first))

    async with somebody(house, looks=False), asyncio.timeout(LONG):
        report = await imported(house, tmp_path / "a.json")

    assert report.updated == {"Flag": 1}
