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

from liaison.fhir.vault import FileKeyProvider

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


def test_the_second_service_of_a_folder_shares_the_database(
    own: Any, embedded_base: dict[str, str], started: Any
) -> None:
    process, url = started(embedded_base)
    first = postmaster(own)

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert postmaster(own) == first
    assert httpx.get(f"{own.url}/readyz").status_code == 200
    assert isinstance(process, subprocess.Popen)
    assert url != own.url
