"""A disk that is full: a write is a clear 503 and leaves nothing; with room again it works by itself."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from liaison.auth.journal.live import Live
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.auth.journal.verify import verify
from liaison.fhir.store.database import connection
from liaison.fhir.vault import FileKeyProvider
from liaison.services.house import House

from .conftest import alone

pytestmark = pytest.mark.http

MEGABYTES = 180


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own, too small to be kept from filling up."""
    folder = tmp_path_factory.mktemp("small-disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=0711", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def flag(patient: str, size: int) -> dict[str, Any]:
    # Digits that do not compress away.
    text = "".join(f"{number * 7919 % 99991:x}" for number in range(size // 4))
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": text},
        "subject": {"reference": f"Patient/{patient}"},
    }


def test_a_full_disk_is_a_503_and_leaves_nothing(
    small_disk: Path, tmp_path_factory: pytest.TempPathFactory, embedded_service: Any
) -> None:
    key = tmp_path_factory.mktemp("key") / "key"
    FileKeyProvider.create(key)
    base = {
        "DATABASE_URL": "",
        "DATA": str(small_disk / "data"),
        "KEY_FILE": str(key),
        "PUBLIC_URL": "https://liaison.test",
        "ACCESS_LOG": "false",
    }
    with embedded_service(base) as service, service.client("gp") as gp:
        patient = service.patient()
        workers = service.workers
        before = gp.get("/Flag", params={"patient": patient, "_summary": "count"}).json()["total"]
        ballast = small_disk / "ballast"
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=64k"], capture_output=True, check=False)

        statuses = []
        for _ in range(40):
            answer = gp.post("/Flag", json=flag(patient, 1_000_000))
            statuses.append(answer.status_code)
            if answer.status_code == 503:
                assert answer.json()["resourceType"] == "OperationOutcome"
                break
        unready = httpx.get(f"{service.url}/readyz", timeout=30)
        assert unready.status_code == 503
        assert "disk" in unready.json()["failing"]
        # What is read meanwhile has its entry all the same, or is not shown: never more bytes than the journal knows of.
        shown = []
        for _ in range(20):
            answer = gp.get(f"/Patient/{patient}")
            assert answer.status_code in (200, 503), answer.text
            if answer.status_code == 200:
                shown.append(answer.headers["x-request-id"])
        ballast.unlink()

        assert service.workers == workers, "no worker has died of it"
        assert statuses[-1] == 503, statuses
        stored = statuses.count(201)
        # PostgreSQL may have crashed for want of room for its log: it recovers first, and says so with 503s.
        until = time.monotonic() + 60
        while (answer := gp.post("/Flag", json=flag(patient, 10))).status_code == 503 and time.monotonic() < until:
            time.sleep(0.1)
        assert answer.status_code == 201, answer.text
        assert httpx.get(f"{service.url}/readyz", timeout=30).json()["failing"] == []
        counted = gp.get("/Flag", params={"patient": patient, "_summary": "count"}).json()["total"]
        assert counted == before + stored + 1
        assert set(shown) <= alone(lambda: _requests(service))


async def _requests(service: Any) -> set[str]:
    """The requests that the journal knows of, which is whole."""
    async with House.opened(service.settings) as house:
        one = await connection(house.database.url)
        try:
            async with one.transaction(isolation="repeatable_read", readonly=True):
                await verify(Live(one), house.journal_keys.signer.verifier, house.journal_keys, [])
                rows = await one.fetch(f"select {', '.join(COLUMNS)} from journal_entry")
                return {unseal(house.journal_keys, Record(*row)).request for row in rows}
        finally:
            await one.close()
