"""What a stolen database shows after a load through the store: no clear text. The scan itself is tests/proof/dump.py."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from liaison.auth.access.filter import Filter
from liaison.fhir.definitions import kind_of
from liaison.fhir.search.index import indexed
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Change, Labels, Tree
from liaison.fhir.store.database import Database
from liaison.fhir.store.embedded import Embedded
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.migrations import migrate

BIRTH_DATE = "1931-07-29"
PLANTED = {
    "family": "Zwyxelmann",
    "given": "Ghislibert",
    "street": "17 chemin des Oubliettes",
    "city": "Fontvieille-la-Planche",
    "phone": "+33798312247",
    "identifier": "131077512345678",
    "code": "ZQX-48213",
    "display": "Zwifose aigue du coude",
    "note": "A peur du chien de la voisine, réveil à quatre heures",
    "value": "7391.284617",
    "doctor": "Quillonbert",
}
TEXTS = [BIRTH_DATE, *PLANTED.values()]


def patient() -> Tree:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": PLANTED["identifier"]}],
        "name": [{"family": PLANTED["family"], "given": [PLANTED["given"]]}],
        "birthDate": BIRTH_DATE,
        "telecom": [{"system": "phone", "value": PLANTED["phone"]}],
        "address": [{"line": [PLANTED["street"]], "city": PLANTED["city"]}],
    }


def observation() -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:codes", "code": PLANTED["code"], "display": PLANTED["display"]}]},
        "effectiveDateTime": "2026-03-01T10:00:00Z",
        "valueQuantity": {"value": 72, "unit": PLANTED["value"]},
        "note": [{"text": f"{PLANTED['note']}. " * 300}],
    }


class Hooks:
    alone: frozenset[str] = frozenset()

    def classify(self, change: Change, related: Any) -> Labels:
        return Labels(1, author=f"Practitioner/{PLANTED['doctor']}")

    async def before_write(self, *_: Any) -> None: ...

    async def after_write(self, *_: Any) -> None: ...


async def load(database: Database, key: Path) -> None:
    """Creates, updates, deletes, locks, a failure and a search, as a day of work does."""
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(key))
    async with Store(database, vault, Filter(), Hooks(), index=indexed) as store:
        number = store.new_patient()

        def change(tree: Tree, owner: int, version: int = 1, former: Change | None = None) -> Change:
            key = former.key if former else store.new_key(owner, kind_of(tree["resourceType"]))
            meta = {"versionId": str(version), "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")}
            made = Change("create", key, tree["resourceType"], version, {**tree, "id": store.id(key), "meta": meta})
            made.new_patient = tree["resourceType"] == "Patient" and version == 1
            return made

        async def write(*changes: Change) -> None:
            async with database.writing.acquire() as connection, connection.transaction():
                await store.lock(connection, [token for one in changes for token in store.lock_tokens(one.tree or {})])
                await store.write(connection, None, changes, {})  # type: ignore[arg-type]  # the hooks do not ask

        first = change(patient(), number)
        observations = [change(observation(), number) for _ in range(200)]
        doctor = {"resourceType": "Practitioner", "name": [{"family": PLANTED["doctor"]}]}
        await write(first, *observations, change(doctor, 0))
        await write(change(patient(), number, 2, first))
        with pytest.raises(asyncpg.PostgresError):
            async with database.writing.acquire() as connection:
                await connection.execute("select $1::text::int", PLANTED["family"])
        await database.writing.execute("analyze")


async def test_a_stolen_database_shows_no_planted_text(tmp_path: Path, dump: ModuleType) -> None:
    server = await asyncio.to_thread(Embedded(tmp_path / "data").start)
    try:
        await migrate(server.url)
        async with await Database.connect(server.url) as database:
            await load(database, tmp_path / "key")

            assert await dump.find_leaks(server.directory, server.administrator_url, TEXTS) == []
    finally:
        await asyncio.to_thread(server.stop)


async def test_the_scan_finds_what_is_planted_in_each_place(tmp_path: Path, dump: ModuleType) -> None:
    """The positive control: without it, the test above would prove nothing."""
    server = await asyncio.to_thread(Embedded(tmp_path / "data", settings={"log_min_messages": "log"}).start)
    try:
        connection = await dump.plant(server.administrator_url, PLANTED["note"])
        found = await dump.find_leaks(server.directory, server.administrator_url, [PLANTED["note"]])
        await connection.close()
    finally:
        await asyncio.to_thread(server.stop)

    places = {leak.place for leak in found}
    assert {leak.form for leak in found} >= {"UTF-8", "UTF-16LE", "base64 of utf-8"}
    assert "postgres: public.planted" in places, "tables"
    assert "postgres: pg_stats" in places, "statistics"
    assert "server.log" in places, "logs"
    assert any(place.startswith("cluster/pg_wal/") for place in places), "WAL"
    assert any(place.startswith("cluster/base/") and "/t" in place for place in places), "temporary files"


@pytest.mark.parametrize("text", [PLANTED["note"], PLANTED["value"], BIRTH_DATE])
def test_each_form_is_found_wherever_it_starts(text: str, dump: ModuleType) -> None:
    import base64

    for shift in range(4):
        prefix = b"x" * shift
        for content in (
            prefix + text.encode() + b"y",
            prefix + text.upper().encode("utf-16-le") + b"y" if text.isascii() else text.encode("utf-16-le"),
            base64.b64encode(prefix + text.encode() + b"some more"),
            base64.b64encode(prefix + text.encode("utf-16-le") + b"some more"),
        ):
            assert dump.search("here", content, [text]), (shift, content)
        assert dump.search("here", prefix + b"nothing of it", [text]) == []


def test_a_birth_date_is_found_as_a_moment_too(dump: ModuleType) -> None:
    micros = (datetime(1931, 7, 28, 23, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000

    for order in dump.ORDERS:
        content = b"before" + int(micros).to_bytes(8, order, signed=True) + b"after"
        assert [leak.form for leak in dump.search("here", content, [BIRTH_DATE])] == ["timestamptz"]
