"""The supervisor, on servers of its own that do fsync. Each test states one promise of embedded/supervisor.py."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.fhir.store.embedded import Embedded, EmbeddedError, NotRunning, confinement, runtime
from liaison.fhir.store.embedded.confinement import Account
from liaison.fhir.store.embedded.programs import Programs

from .conftest import SCRIPT, end, query, supervised

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start PostgreSQL as another account")


def kill(pid: int | None) -> None:
    """kill -9, and waits until it has happened."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/cwd").exists():
        time.sleep(0.01)


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_it_starts_serves_and_stops(directory: Path) -> None:
    with Embedded(directory) as server:
        assert query(server.url, "select current_user || ' ' || current_database()") == "liaison liaison"
        assert query(server.url, "select current_setting('fsync') || current_setting('data_checksums')") == "onon"
        runtime = server.runtime
        assert runtime is not None and modes(directory, runtime, directory / "pgpass") == [0o700, 0o700, 0o600]

    assert server.pid is None and not runtime.exists()
    with pytest.raises(NotRunning):
        _ = server.url
    with Embedded(directory) as again:
        assert query(again.url, "select 1") == 1


def test_under_systemd_the_socket_is_in_the_folder_of_the_unit(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit's /tmp may be its own: a command that runs beside the service would not find the socket there."""
    directory.mkdir()
    made = tmp_path / "unit"
    made.mkdir(mode=0o755)
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{made}:/run/other")
    assert runtime.folder(directory, Account(os.geteuid(), os.getegid())).parent == made
    shutil.rmtree(made)
    assert runtime.folder(directory, Account(os.geteuid(), os.getegid())).is_dir()


def test_nothing_listens_on_the_network_and_no_connection_is_trusted(directory: Path) -> None:
    with Embedded(directory) as server:
        assert query(server.administrator_url, "select current_setting('listen_addresses')") == ""
        rules = query(server.administrator_url, "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules")
        assert rules == "scram-sha-256"
        with pytest.raises(asyncpg.InvalidPasswordError):
            query(server.url.replace("passfile=", "passfile=/nowhere"), "select 1")


def test_the_url_and_the_command_line_hold_no_password(directory: Path) -> None:
    with Embedded(directory) as server:
        passwords = [line.rsplit(":", 1)[1] for line in (directory / "pgpass").read_text().splitlines()]
        command = Path(f"/proc/{server.pid}/cmdline").read_text()
        assert len(passwords) == 2
        assert not any(password in shown for password in passwords for shown in (server.url, command))


def test_a_path_of_150_characters(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 60) / ("e" * 60) / ("f" * 60)
    assert len(str(directory)) > 150

    with Embedded(directory) as server:
        assert query(server.url, "select 1") == 1


@pytest.fixture
def root_home() -> Iterator[Path]:
    """A folder in a home of mode 0700, as root's is."""
    home = Path("/root") if os.geteuid() == 0 else Path.home()
    path = home / f".liaison-test-{os.getpid()}"
    path.mkdir(mode=0o700)
    yield path
    subprocess.run(["rm", "-rf", path], check=True)


def require(way: confinement.Way) -> None:
    """Skips where this machine gives root no mount namespace of its own, as in a container or a bare chroot."""
    probe = ["unshare", "--mount", "--propagation", "private", "true"]
    if way == "mounted" and subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount")


@as_root
@pytest.mark.parametrize("way", ["mounted", "passed"])
def test_a_directory_in_roots_home(root_home: Path, way: confinement.Way) -> None:
    require(way)
    before = modes(Path("/root"), root_home)
    owners = [path.stat().st_uid for path in (Path("/root"), root_home)]

    with Embedded(root_home / "data", ways=[way]) as server:
        assert query(server.url, "create table t (n int)", "insert into t values (7) returning n") == 7
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "\nUid:\t0" not in status
        assert "\nCapEff:\t0000000000000000" in status and "\nNoNewPrivs:\t1" in status
        kill(server.pid)
        assert server.ensure()
        assert query(server.url, "select n from t") == 7

    assert modes(Path("/root"), root_home) == before
    assert [path.stat().st_uid for path in (Path("/root"), root_home)] == owners


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can reach; pytest's own are closed, again at each start of another run."""
    folder = Path(tempfile.mkdtemp(prefix="liaison-open-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def reachable(path: Path) -> bool:
    """Whether any account may enter every folder on the way."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


@as_root
@pytest.mark.parametrize("way", ["directly", "mounted", "passed"])
def test_the_ways_share_one_cluster(open_folder: Path, way: confinement.Way) -> None:
    """A directory made one way opens in every other: a container and a machine may take turns."""
    require(way)
    if way == "directly" and not reachable(Programs.of_wheel().bin):
        pytest.skip("the programs lie in root's home: another account cannot run them directly from there")
    directory = open_folder / "data"
    directory.mkdir(mode=0o755)
    with Embedded(directory) as server:
        query(server.url, "create table t (n int)", "select 1")
    with Embedded(directory, ways=[way]) as server:
        assert query(server.url, "select count(*) from t") == 0


@as_root
def test_no_way_at_all_is_said_clearly(root_home: Path) -> None:
    server = Embedded(root_home / "data", ways=["directly"])
    with pytest.raises(confinement.NoConfinement, match="outside of root's home"):
        server.start()
    assert server.runtime is None and not (root_home / "data" / "server.json").exists()


@as_root
def test_an_ordinary_account_runs_its_own(open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    identity = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    # The interpreter may lie in root's home; an ordinary account has one it can reach.
    reachable = subprocess.run([*identity, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
    python = [sys.executable] if reachable else ["/usr/bin/python3"]
    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [*identity, *python, "-c", SCRIPT, str(home / "data")],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": ":".join(path if not reachable else [])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "ModuleNotFoundError" in done.stderr:
        pytest.skip("no interpreter with our libraries can be reached by an ordinary account here")

    assert done.returncode == 0, done.stderr
    assert (home / "data" / "cluster").stat().st_uid == nobody.pw_uid


def test_what_was_committed_survives_kill_9_and_recovery(directory: Path) -> None:
    told: list[str] = []
    with Embedded(directory, progress=told.append) as server:
        query(server.url, "create table t (n int)", "insert into t select generate_series(1, 1000) returning n")
        url = server.url
        kill(server.pid)
        assert server.ensure()
        assert server.url == url, "clients find the new server where the old one was"
        assert query(server.url, "select count(*) from t") == 1000
        assert not server.ensure()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)


def answers(server: Embedded) -> bool:
    try:
        return bool(query(server.url, "select true"))
    except (OSError, asyncpg.PostgresError):
        return False


def test_a_server_that_dies_is_started_again_while_it_is_watched(directory: Path) -> None:
    with Embedded(directory) as server, server.watched(0.05):
        dead = server.pid
        kill(dead)
        until(lambda: server.pid not in (None, dead) and answers(server))


def test_a_server_that_cannot_start_is_tried_again_until_it_can(directory: Path) -> None:
    told: list[str] = []
    with Embedded(directory, progress=told.append) as server, server.watched(0.05):
        control = server.cluster / "global" / "pg_control"
        aside = control.rename(directory / "aside")
        kill(server.pid)
        until(lambda: len([line for line in told if "did not start" in line]) > 1)
        aside.rename(control)
        until(lambda: answers(server))


def test_supervisor_and_server_killed_together_recover(directory: Path) -> None:
    first = supervised(directory)
    query(Embedded.attach(directory).url, "create table t (n int)", "insert into t values (1) returning n")
    kill(Embedded(directory).pid)
    end(first)

    with Embedded(directory) as second:
        assert query(second.url, "select n from t") == 1


def test_a_pid_file_of_a_process_that_is_not_ours_is_ignored(directory: Path) -> None:
    with Embedded(directory) as server:
        cluster = server.cluster
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n0\n5432\n/tmp\n\n0 0\nready   \n")

    assert Embedded(directory).pid is None
    with Embedded(directory) as server:
        assert query(server.url, "select 1") == 1
    os.kill(os.getpid(), 0)


def test_recovery_is_waited_for_with_progress_and_without_limit(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with Embedded(directory, progress=told.append) as server:
        monkeypatch.setattr(
            "liaison.fhir.store.embedded.process.postmaster", slow_then(server.pid, time.monotonic() + 5)
        )
        server._wait()

    assert any("recovering" in line for line in told)


def slow_then(pid: int | None, ready_at: float) -> Any:
    return lambda cluster: (pid, "ready" if time.monotonic() > ready_at else "starting")


def test_a_first_start_that_was_cut_short_is_done_again(directory: Path) -> None:
    (directory / "cluster.new").mkdir(parents=True)
    (directory / "cluster.new" / "PG_VERSION").write_text("18")

    with Embedded(directory) as server:
        assert query(server.url, "select 1") == 1


def test_a_server_that_cannot_start_says_why(directory: Path) -> None:
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        Embedded(directory, settings={"no_such_setting": "1"}).start()
    with Embedded(directory) as server:  # the lock was given back
        assert query(server.url, "select 1") == 1


def test_the_log_holds_nothing_a_client_sent(directory: Path) -> None:
    with Embedded(directory) as server:
        for statement in ("select 'planted-secret'::int", "insert into missing values ('planted-secret')"):
            with pytest.raises(asyncpg.PostgresError):
                query(server.url, statement)
        with pytest.raises(asyncpg.UniqueViolationError):
            query(
                server.url,
                "create table t (n text primary key)",
                "insert into t values ('planted-secret')",
                "insert into t values ('planted-secret') returning n",
            )
    log = (directory / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "planted-secret" not in log
