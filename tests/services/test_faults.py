"""When something below the service fails: a clear 503, nothing disclosed or written, and it recovers by itself."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import verify
from liaison.fhir.store.database import connection
from liaison.fhir.vault import FileKeyProvider
from liaison.services.base import url
from liaison.services.house import House

from .conftest import alone

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def embedded_base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a service with a database of its own."""
    folder = tmp_path_factory.mktemp("embedded")
    FileKeyProvider.create(folder / "key")
    return {
        "DATABASE_URL": "",
        "DATA": str(folder / "data"),
        "KEY_FILE": str(folder / "key"),
        "PUBLIC_URL": "https://liaison.test",
        "ACCESS_LOG": "false",
    }


@pytest.fixture(scope="module")
def own(embedded_base: dict[str, str], embedded_service: Any) -> Iterator[Any]:
    with embedded_service(embedded_base) as service:
        yield service


def postmaster(service: Any) -> int:
    """The main process of its database."""
    pid_file: Path = service.settings.data / "database" / "cluster" / "postmaster.pid"
    return int(pid_file.read_text().splitlines()[0])


def until(ask: Any, status: int, seconds: float = 60) -> httpx.Response:
    """Asks until the answer has this status."""
    end = time.monotonic() + seconds
    while True:
        response: httpx.Response = ask()
        if response.status_code == status or time.monotonic() > end:
            return response
        time.sleep(0.1)


def test_a_database_that_dies_is_a_503_until_it_is_back(own: Any) -> None:
    patient = own.patient()
    with own.client("gp") as gp:
        assert gp.get(f"/Patient/{patient}").status_code == 200
        seen = []

        os.kill(postmaster(own), signal.SIGKILL)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            response = gp.get(f"/Patient/{patient}")
            seen.append(response.status_code)
            if response.status_code == 503:
                assert response.json()["resourceType"] == "OperationOutcome"
                assert patient not in response.text
                assert "retry-after" in response.headers
            if 503 in seen and response.status_code == 200:
                break
            time.sleep(0.05)

        assert set(seen) == {200, 503}
        assert seen[-1] == 200
        written = gp.post(
            "/Flag",
            json={
                "resourceType": "Flag",
                "status": "active",
                "code": {"text": "x"},
                "subject": {"reference": f"Patient/{patient}"},
            },
        )
        assert until(lambda: written, 201).status_code == 201, written.text
    assert until(lambda: httpx.get(f"{own.url}/readyz"), 200).json()["failing"] == []


def test_readiness_names_what_fails(own: Any) -> None:
    os.kill(postmaster(own), signal.SIGKILL)
    seen: set[str] = set()
    until_ready = time.monotonic() + 60
    while time.monotonic() < until_ready:
        response = httpx.get(f"{own.url}/readyz", timeout=30)
        failing = response.json()["failing"]
        assert (response.status_code == 200) == (failing == [])
        seen.update(failing)
        if seen and response.status_code == 200:
            break
        time.sleep(0.01)

    # The database may be back before it is asked about; what waited for it then is not.
    assert seen and seen <= {"database", "journal", "integrator"}
    assert response.status_code == 200
    assert httpx.get(f"{own.url}/livez").status_code == 200


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        ("alter table journal_entry rename to journal_away", "alter table journal_away rename to journal_entry"),
        (
            # What PostgreSQL says when it cannot extend the file of a table (53100), of this one alone.
            """
            create function full_disk() returns trigger language plpgsql as
            $$begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end$$;
            create trigger full_disk before insert on journal_entry execute function full_disk()
            """,
            "drop trigger full_disk on journal_entry; drop function full_disk()",
        ),
    ],
    ids=["no table", "no room"],
)
def test_without_its_journal_nothing_is_disclosed_or_written(own: Any, fault: str, cure: str) -> None:
    """No journal, no data: reads, questions, numbers, writes, refusals and what gives tokens."""
    patient, workers = own.patient(), own.workers
    with own.client("gp") as gp:
        flag = {
            "resourceType": "Flag",
            "status": "active",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{patient}"},
        }
        [known] = [gp.post("/Flag", json=flag).json()["id"]]
        asked = [
            ("GET", f"/Patient/{patient}", None),
            ("GET", f"/Flag/{known}/_history", None),
            ("GET", f"/Flag?patient={patient}", None),
            ("GET", f"/Flag?patient={patient}&_summary=count", None),
            ("GET", f"/Patient/{patient}/$everything", None),
            ("GET", "/Patient/00000000000000000000000000000000", None),
            ("GET", "/Flag?nonsense=1", None),
            ("POST", "/Flag", flag),
            ("PUT", f"/Flag/{known}", {**flag, "id": known, "status": "inactive"}),
            ("DELETE", f"/Flag/{known}", None),
            (
                "POST",
                "/",
                {
                    "resourceType": "Bundle",
                    "type": "batch",
                    "entry": [{"request": {"method": "GET", "url": f"Flag/{known}"}}],
                },
            ),
        ]
        alone(lambda: _execute(own, fault))
        try:
            for method, path, body in asked:
                answer = gp.request(method, path, json=body)
                assert answer.status_code == 503, (method, path, answer.text)
                assert answer.json()["resourceType"] == "OperationOutcome"
                assert known not in answer.text and patient not in answer.text, (method, path)
                assert not {"etag", "location", "last-modified"} & set(answer.headers), (method, path)
            assert "journal" in httpx.get(f"{own.url}/readyz", timeout=30).json()["failing"]
        finally:
            alone(lambda: _execute(own, cure))
        assert until(lambda: gp.get(f"/Flag/{known}"), 200).json()["status"] == "active"
        assert gp.get("/Flag", params={"patient": patient, "_summary": "count"}).json()["total"] == 1
    assert own.workers == workers
    assert alone(lambda: _whole(own)) > 0


async def _execute(service: Any, statements: str) -> None:
    one = await connection(url(service.settings))
    try:
        await one.execute(statements)
    finally:
        await one.close()


async def _whole(service: Any) -> int:
    """How many entries the journal has; raises Broken when it is not whole."""
    async with House.opened(service.settings) as house:
        one = await connection(house.database.url)
        try:
            async with one.transaction(isolation="repeatable_read", readonly=True):
                verdict = await verify(Live(one), house.journal_keys.signer.verifier, house.journal_keys, [])
                return verdict.entries
        finally:
            await one.close()


def test_the_second_service_of_a_folder_shares_the_database(
    own: Any, embedded_base: dict[str, str], started: Any
) -> None:
    process, other = started(embedded_base)
    first = postmaster(own)

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert postmaster(own) == first
    assert httpx.get(f"{own.url}/readyz").status_code == 200
    assert isinstance(process, subprocess.Popen)
    assert other != own.url
