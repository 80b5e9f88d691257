"""Reads a second of the store alone (SQL, both walls, decryption), beside those of the sketch, without HTTP or journal.

    python tests/bench/reader.py [--profile]

Starts a PostgreSQL of its own, loads the same number of Observations for both, and drives each with 1, 16 and 64 tasks.
"""

import asyncio
import cProfile
import gc
import os
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sketch  # type: ignore[import-not-found]  # beside this file, which is run as a program
import uvloop

from liaison.auth.access.classes import Class
from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Change, Indexed, Key, Labels, Tree
from liaison.fhir.store.database import Database
from liaison.fhir.store.embedded import Embedded
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.migrations import migrate

SECONDS = 4.0
PERSON, ROLE, CLIENT, PURPOSE = 11, 12, 13, 1


class Open:
    """Writing is not measured here."""

    alone: frozenset[str] = frozenset()

    def classify(self, change: Change, related: Any) -> Labels:
        return Labels(Class.VITAL | Class.CLIN)

    async def before_write(self, *_: Any) -> None: ...

    async def after_write(self, *_: Any) -> None: ...


def no_index(type_: str, tree: Tree) -> Indexed:
    from datetime import datetime

    return Indexed(datetime.min, (), ())


async def load(store: Store) -> list[Key]:
    patients = [store.new_patient() for _ in range(sketch.PATIENTS)]
    keys: list[Key] = []
    changes = []
    for patient in patients:
        key = store.new_key(patient, kind_of("Patient"))
        tree = {"resourceType": "Patient", "meta": {"lastUpdated": "2026-01-01T00:00:00Z"}}
        changes.append(Change("create", key, "Patient", 1, tree, new_patient=True))
    for n in range(sketch.ROWS):
        key = store.new_key(patients[n % len(patients)], kind_of("Observation"))
        keys.append(key)
        tree = {**sketch.OBSERVATION, "id": store.id(key)}
        changes.append(Change("create", key, "Observation", 1, tree))
    async with store.database.writing.acquire() as connection:
        for at in range(0, len(changes), 5000):
            async with connection.transaction():
                await store.write(connection, None, changes[at : at + 5000], {})  # type: ignore[arg-type]  # nobody asks
        await connection.execute(
            "insert into access_session (session, principals, purpose, role_code, expires_at)"
            " values (1, $1, $2, 'gp', now() + interval '1 hour')",
            [PERSON, ROLE, CLIENT],
            PURPOSE,
        )
        found = await store.vault.patient_keys(connection, patients)
        # As the decision table makes them: a grant by the team, and two more that ask for the author.
        for principal, author in ((ROLE, 0), (PERSON, 5), (PERSON, 6)):
            await connection.executemany(
                "insert into access_grant (patient, principal, purpose, mask, write_mask, author, rule, relation,"
                " valid_from, valid_to) values ($1, $2, $3, $4, 0, $5, 1, 1, now(), now() + interval '1 day')",
                [
                    (patient, principal, PURPOSE, found[patient].permute(Class.VITAL | Class.CLIN), author)
                    for patient in patients
                ],
            )
        await connection.execute("analyze")
    return keys


async def drive(tasks: int, read: Callable[[], Awaitable[Any]]) -> tuple[float, float, float]:
    """(reads a second, median milliseconds, microseconds of this process's CPU a read)"""
    taken: list[float] = []
    used = time.process_time()
    until = time.perf_counter() + SECONDS

    async def one() -> None:
        while (began := time.perf_counter()) < until:
            if not await read():
                raise SystemExit("a read found nothing")
            taken.append(time.perf_counter() - began)

    await asyncio.gather(*(one() for _ in range(tasks)))
    used = time.process_time() - used
    return len(taken) / SECONDS, sorted(taken)[len(taken) // 2] * 1000, used / len(taken) * 1e6


async def measure(url: str, folder: Path) -> None:
    await migrate(url)
    await sketch.load(url)
    limit = sketch.Sketch(url)
    await limit.start()
    async with await Database.connect(url) as database:
        async with database.writing.acquire() as connection:
            vault = await Vault.open(connection, FileKeyProvider.create(folder / "key"))
        async with Store(database, vault, Filter(), Open(), index=no_index) as store:
            began = time.perf_counter()
            keys = await load(store)
            print(f"loaded {sketch.ROWS / (time.perf_counter() - began):,.0f} resources a second")
            ids = [store.id(key) for key in keys]
            # As the service does once it has started.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)
            caller = Caller(1, read_scopes("user/*.rs"), PURPOSE, "gp")

            async def of_store() -> Any:
                key = store.key("Observation", random.choice(ids))
                assert key is not None
                found = await store.read(caller, key)
                return found and found.body

            async def of_sketch() -> Any:
                id_ = f"o{random.randrange(sketch.ROWS)}"
                version, sealed = await limit.reads.put(("Observation", id_, sketch.CALLER))
                return limit.decompress(
                    sketch.KEY.decrypt(sealed[:12], sealed[12:], f"Observation/{id_}/{version}".encode())
                )

            head = f"{'ms':>7} {'µs CPU':>7}"
            print(f"{'tasks':>6} {'sketch/s':>10} {head} {'store/s':>10} {head} {'ratio':>6}")
            for tasks in (1, 16, 64):
                of = [await drive(tasks, read) for read in (of_sketch, of_store)]
                ratio = of[1][0] / of[0][0]
                columns = " ".join(f"{reads:>10,.0f} {median:>7.2f} {used:>7.1f}" for reads, median, used in of)
                print(f"{tasks:>6} {columns} {ratio:>6.2f}")
            if "--profile" in sys.argv:
                with cProfile.Profile() as profile:
                    await drive(64, of_store)
                pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    await limit.reading.close()
    await limit.writing.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with Embedded(Path(folder) / "data") as server:
            uvloop.run(measure(server.url, Path(folder)))


if __name__ == "__main__":
    main()
