"""`liaison serve` as an operator meets it: refusals at the start, several workers, faults, the stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from liaison.fhir.vault import FileKeyProvider

from ..conftest import address, end, start
from ..console import typed
from ..processes import nursery_of, workers_of

pytestmark = pytest.mark.http


def serve(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A start that is expected to be refused."""
    return typed(environment(settings), "serve", "--port", "0")


def environment(settings: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **{f"LIAISON_{name}": value for name, value in settings.items()}}


def test_a_missing_key_file_is_named(service_base: dict[str, str], tmp_path: Path) -> None:
    refused = subprocess.run(
        [str(Path(sys.executable).with_name("liaison")), "serve", "--port", "0"],
        env=environment({**service_base, "KEY_FILE": str(tmp_path / "nowhere")}),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert refused.returncode == 1
    assert str(tmp_path / "nowhere") in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_key_inside_the_data_is_refused(service_base: dict[str, str], tmp_path: Path) -> None:
    """A copy of the data would carry the secret that opens it; nor does a link from there."""
    (tmp_path / "data").mkdir()
    FileKeyProvider.create(tmp_path / "data" / "key")
    (tmp_path / "link").symlink_to(tmp_path / "data" / "key")

    for key in (tmp_path / "data" / "key", tmp_path / "link"):
        refused = serve({**service_base, "DATA": str(tmp_path / "data"), "KEY_FILE": str(key)})
        assert refused.returncode == 1
        assert "a copy of the data would carry the key" in refused.stderr


def test_a_wrong_key_file_is_named(service: Any, service_base: dict[str, str], tmp_path: Path) -> None:
    FileKeyProvider.create(tmp_path / "other")

    refused = serve({**service_base, "KEY_FILE": str(tmp_path / "other")})

    assert refused.returncode == 1
    assert str(tmp_path / "other") in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_key_file_that_others_can_read_is_refused(service_base: dict[str, str], tmp_path: Path) -> None:
    FileKeyProvider.create(tmp_path / "open")
    (tmp_path / "open").chmod(0o644)

    refused = serve({**service_base, "KEY_FILE": str(tmp_path / "open")})

    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr


def test_no_key_file_at_all_names_the_setting(service_base: dict[str, str]) -> None:
    refused = serve({name: value for name, value in service_base.items() if name != "KEY_FILE"})

    assert refused.returncode == 1
    assert "LIAISON_KEY_FILE" in refused.stderr


def test_a_base_without_tables_names_the_command(postgres: Any, service_base: dict[str, str]) -> None:
    refused = serve({**service_base, "DATABASE_URL": postgres.url("postgres")})

    assert refused.returncode == 1
    assert "liaison migrate" in refused.stderr


def test_a_database_out_of_reach_is_said(service_base: dict[str, str]) -> None:
    refused = serve({**service_base, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})

    assert refused.returncode == 1
    assert "database" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_proxys_socket_of_a_service_that_runs_is_not_taken(service: Any, service_base: dict[str, str]) -> None:
    refused = serve(service_base)

    assert refused.returncode == 1
    assert "Another service listens" in refused.stderr
    assert Path(service_base["PROXY_SOCKET"]).is_socket()


@pytest.fixture
def own(
    service_base: dict[str, str], service: Any, started: Any, tmp_path: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A second service on the same base, to be stopped and hurt."""
    process, url = started({**service_base, "PROXY_SOCKET": str(tmp_path / "proxy.sock")})
    yield url, process
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def lasting(
    service_base: dict[str, str], service: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """One for the tests that hurt its workers and leave it serving. In its folder lie files named as Python's own are."""
    folder = tmp_path_factory.mktemp("lasting")
    for name in ("types", "signal"):
        (folder / f"{name}.py").write_text("raise SystemExit('not of the library')")
    process = start({**service_base, "PROXY_SOCKET": str(folder / "proxy.sock")}, where=folder)
    yield address(process), process
    end(process)


def test_sigterm_stops_every_worker(own: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = own
    workers = workers_of(process)
    assert len(workers) == 2

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/livez")


def test_a_killed_worker_is_replaced(lasting: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = lasting
    before = workers_of(process)

    os.kill(before[0], signal.SIGKILL)

    until = time.monotonic() + 30
    while time.monotonic() < until:
        now = workers_of(process)
        if len(now) == 2 and before[0] not in now:
            break
        time.sleep(0.1)
    assert len(workers_of(process)) == 2
    assert httpx.get(f"{url}/livez").status_code == 200


def test_a_request_under_way_is_finished_before_the_stop(service: Any, own: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = own
    headers = {"authorization": f"Bearer {service.token('gp')}", "content-type": "application/fhir+json"}
    answers: list[httpx.Response] = []

    def slow() -> Iterator[bytes]:
        yield b'{"resourceType":'
        # As when the whole group is signalled: what the workers were forked from must not go first.
        for pid in (*nursery_of(process), *workers_of(process), process.pid):
            os.kill(pid, signal.SIGTERM)
        time.sleep(1.5)  # time in which they would go, if they did not wait for the rest
        yield b'"Nothing"}'

    def post() -> None:
        answers.append(httpx.post(f"{url}/fhir/Patient", content=slow(), headers=headers, timeout=20))

    thread = threading.Thread(target=post)
    thread.start()
    thread.join(20)

    assert [answer.status_code for answer in answers] == [400]
    assert process.wait(20) == 0


def test_health_is_told_without_a_caller(service: Any) -> None:
    assert httpx.get(f"{service.url}/livez").json() == {"status": "alive"}
    assert httpx.get(f"{service.url}/readyz").json() == {"status": "ready", "failing": []}


def test_metrics_count_over_all_workers_and_name_nobody(service: Any) -> None:
    patient = service.patient()
    with service.client("gp") as client:
        for _ in range(20):
            assert client.get(f"/Patient/{patient}", headers={"connection": "close"}).status_code == 200

    text = httpx.get(f"{service.url}/metrics").text

    line = next(line for line in text.splitlines() if line.startswith('liaison_fhir_requests_total{method="GET"'))
    assert patient not in text
    assert 'type="Patient"' in text
    assert float(line.rsplit(" ", 1)[1]) >= 1


def test_metrics_are_kept_where_a_full_disk_cannot_end_a_worker(
    own: tuple[str, subprocess.Popen[str]], service_base: dict[str, str]
) -> None:
    url, process = own
    httpx.get(f"{url}/fhir/metadata")

    for pid in workers_of(process):
        mapped = [line.split()[-1] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if ".db" in line]
        assert not [path for path in mapped if path.startswith(service_base["DATA"])]

    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not list(Path("/dev/shm").glob(f"liaison-metrics-{process.pid}-*"))  # looks, and writes nothing


def test_a_worker_that_dies_while_it_is_asked_for_its_health_is_replaced(
    lasting: tuple[str, subprocess.Popen[str]],
) -> None:
    _, process = lasting
    before = workers_of(process)

    for pid in before:
        os.kill(pid, signal.SIGSTOP)  # the supervisor asks it, and waits for its answer
    time.sleep(1.5)  # longer than it waits between two questions: nothing outside tells that it has asked
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    # A worker that is only slow has a minute: one that is dead is not waited for.
    until = time.monotonic() + 40
    while time.monotonic() < until and (len(now := workers_of(process)) < 2 or {*now} & {*before}):
        time.sleep(0.1)
    assert len(now) == 2
    assert not {*now} & {*before}


def test_workers_do_not_outlive_who_supervises_them(own: tuple[str, subprocess.Popen[str]]) -> None:
    _, process = own
    workers = workers_of(process)

    process.kill()

    until = time.monotonic() + 30
    while time.monotonic() < until and any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.1)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
