"""One process at a time has a sandbox's folder, and nothing in it is lost while it has: whoever comes second is told whose
it is, where it answers, and how to stop it."""

import os
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from liaison.fhir.store.embedded import AlreadySupervised, Embedded
from liaison.services import base
from liaison.services.base import NoDatabase
from liaison.services.command import serve
from liaison.services.sandbox.folder import AlreadyRunning, Folder, NotASandbox
from liaison.services.settings import Settings

from ..console import typed
from ..running_sandbox import Running, environment, start, stop

HERE = "http://127.0.0.1:9"


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _runs(pid: int) -> bool:
    """One that nobody has waited for has ended all the same."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def _kill(running: Running) -> None:
    running.process.kill()
    running.process.wait()
    assert running.process.stdout is not None
    running.process.stdout.close()


@pytest.mark.parametrize("reset", [False, True], ids=["start", "reset"])
def test_a_folder_in_use_is_refused_by_name_and_not_touched(tmp_path: Path, reset: bool) -> None:
    with Folder(tmp_path).held(HERE, reset=False):
        (tmp_path / "sandbox.json").write_text("{}")
        before = _contents(tmp_path)
        with pytest.raises(AlreadyRunning) as refused, Folder(tmp_path).held("http://127.0.0.1:10", reset=reset):
            pass

        assert all(part in str(refused.value) for part in (str(tmp_path), HERE, f"kill {os.getpid()}"))
        assert _contents(tmp_path) == before


def test_it_is_free_again_after_a_stop_and_reset_then_empties_it(tmp_path: Path) -> None:
    with Folder(tmp_path).held(HERE, reset=False):
        (tmp_path / "sandbox.json").write_text("{}")
    with Folder(tmp_path).held(HERE, reset=False):
        assert Folder(tmp_path).complete
    with Folder(tmp_path).held(HERE, reset=True):
        assert not Folder(tmp_path).complete


def test_a_copy_of_one_that_runs_is_free_and_was_not_killed(tmp_path: Path) -> None:
    with Folder(tmp_path / "one").held(HERE, reset=False):
        subprocess.run(["cp", "--archive", tmp_path / "one", tmp_path / "copy"], check=True)
        Folder(tmp_path / "copy").refuse()

        assert not Folder(tmp_path / "copy").abandoned
    (tmp_path / "copy" / "running").write_text(f"4194305 {HERE}\n")  # above the highest number that a process has
    assert Folder(tmp_path / "copy").abandoned


def test_it_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="failed"), Folder(tmp_path).held(HERE, reset=False):
        raise RuntimeError("failed")
    Folder(tmp_path).refuse()
    assert not Folder(tmp_path).abandoned


def test_of_two_that_begin_at_once_one_has_it(tmp_path: Path) -> None:
    """Both have looked, and found nobody, before either has it."""
    one, other = Folder(tmp_path), Folder(tmp_path)
    one.refuse()
    other.refuse()
    with one.held(HERE, reset=True), pytest.raises(AlreadyRunning), other.held(HERE, reset=True):
        pass


@pytest.mark.parametrize(
    "inside",
    [["precious.txt"], ["database/", "key", "sandbox.json"], ["installation.json", "database/"], ["running"]],
    ids=["a file", "like a sandbox", "an installation", "like a lock"],
)
def test_what_is_not_marked_as_a_sandbox_is_never_emptied(tmp_path: Path, inside: list[str]) -> None:
    for name in inside:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_text("precious")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotASandbox, match="nothing in it was touched"), Folder(tmp_path).held(HERE, reset=True):
        pass

    assert sorted(tmp_path.rglob("*")) == before


def test_a_database_that_a_command_uses_is_not_removed(tmp_path: Path) -> None:
    """`liaison backup` on a sandbox that does not run has its database for a moment."""
    with Folder(tmp_path).held(HERE, reset=False):
        (tmp_path / "sandbox.json").write_text("{}")
    with Embedded(tmp_path / "database") as used:
        with pytest.raises(AlreadySupervised, match=f"process {os.getpid()}"), Folder(tmp_path).held(HERE, reset=True):
            pass
        assert used.pid is not None
        assert (tmp_path / "sandbox.json").exists()


@pytest.mark.http
def test_a_second_start_and_a_reset_leave_the_running_one_alone(sandbox: Running) -> None:
    known = sandbox.known
    said = [
        typed(environment(), "sandbox", "--data", str(sandbox.folder), "--port", "0", *more)
        for more in ([], ["--reset"])
    ]

    for done in said:
        assert done.returncode == 1
        assert all(
            part in done.stderr for part in (str(sandbox.folder), known["issuer"], f"kill {sandbox.process.pid}")
        )
    assert sandbox.known == known
    assert httpx.get(f"{known['issuer']}/readyz").status_code == 200
    token = typed(environment(), "sandbox", "token", "--data", str(sandbox.folder), "--as", "gp")
    assert sandbox.get(token.stdout.strip(), "Patient?_count=1").status_code == 200


def test_who_looks_at_one_that_does_not_run_is_told_its_own_command(tmp_path: Path) -> None:
    with Folder(tmp_path).held(HERE, reset=False):
        (tmp_path / "database" / "cluster").mkdir(parents=True)
        with pytest.raises(NoDatabase, match=f"liaison sandbox --data {tmp_path}"):
            base.url(Settings(data=tmp_path))


def test_without_its_key_it_is_made_anew_or_not_at_all(tmp_path: Path) -> None:
    with Folder(tmp_path).held(HERE, reset=False):
        (tmp_path / "sandbox.json").write_text("{}")

    done = typed(environment(), "sandbox", "--data", str(tmp_path), "--port", "0")

    assert done.returncode == 1
    assert f"liaison sandbox --reset --data {tmp_path}" in done.stderr
    assert not (tmp_path / "key").exists()


def _refused(where: Path, port: int) -> str:
    done = typed(environment(), "sandbox", "--data", str(where), "--port", str(port))
    assert done.returncode, done.stdout
    assert not where.exists()
    return done.stderr


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        assert f"Cannot listen on 127.0.0.1:{port}" in _refused(tmp_path / "data", port)


def test_so_is_one_of_a_sandbox_that_is_still_being_made(tmp_path: Path) -> None:
    with serve.bound("127.0.0.1", 0) as other:
        port = other.getsockname()[1]

        assert f"Cannot listen on 127.0.0.1:{port}" in _refused(tmp_path / "data", port)


def test_a_port_with_connections_that_have_just_ended_can_be_had(tmp_path: Path) -> None:
    """The side that closes first waits for a minute (TIME_WAIT)."""
    with serve.bound("127.0.0.1", 0) as ended:
        ended.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        ended.listen()
        port = ended.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as asking:
            ended.accept()[0].close()
            assert asking.recv(1) == b""
    with serve.bound("127.0.0.1", port) as again:
        assert again.getsockname()[1] == port


def test_a_number_that_is_no_port_leaves_nothing_behind(tmp_path: Path) -> None:
    assert "--port" in _refused(tmp_path / "data", 70000)


@pytest.mark.http
@pytest.mark.timeout(300)
def test_a_sandbox_that_was_killed_starts_again_at_once_at_its_port(sandbox: Running, tmp_path: Path) -> None:
    """Its workers, and its database, outlive it for a moment. So does a reset, which must not remove a live database."""
    own = tmp_path / "data"
    stop(sandbox)
    subprocess.run(["cp", "--archive", str(sandbox.folder), str(own)], check=True)
    back = start(sandbox.folder)
    sandbox.process, sandbox.seconds = back.process, back.seconds  # the tests after this one use it
    killed = start(own)
    port = killed.known["issuer"].rpartition(":")[2]
    _kill(killed)
    again = start(own, "--port", port)

    assert again.known["issuer"] == killed.known["issuer"]
    assert httpx.get(f"{again.known['issuer']}/readyz").status_code == 200
    _kill(again)
    assert (orphan := Embedded(own / "database").pid) is not None
    with Folder(own).held(HERE, reset=True):
        assert not _runs(orphan)
        assert {child.name for child in own.iterdir()} == {".liaison-sandbox", "running"}
