"""One process supervises a directory. Others share its server, take over one whose supervisor is gone, and leave alone
one of another directory."""

import json
import subprocess
from pathlib import Path

import pytest

from liaison.fhir.store.embedded import AlreadySupervised, Embedded, EmbeddedError, NotRunning

from .conftest import end, query, supervised


def test_a_second_process_is_refused_by_name_and_may_share(directory: Path) -> None:
    first = supervised(directory)
    try:
        with pytest.raises(AlreadySupervised, match=f"process {first.pid}"):
            Embedded(directory).start()

        shared = Embedded.attach(directory)
        assert query(shared.url, "select 1") == 1
        for forbidden in (shared.stop, shared.ensure):
            with pytest.raises(EmbeddedError, match="Only the supervising process"):
                forbidden()
        assert query(shared.url, "select 1") == 1
    finally:
        end(first)


def test_a_supervisor_that_was_killed_leaves_a_server_that_the_next_adopts(directory: Path) -> None:
    first = supervised(directory)
    orphan = Embedded(directory).pid
    end(first)
    assert Embedded(directory).pid == orphan is not None
    with pytest.raises(NotRunning):
        Embedded.attach(directory)

    with Embedded(directory) as second:
        assert second.adopted and second.pid == orphan
        assert query(second.url, "select 1") == 1

    assert Embedded(directory).pid is None


def test_an_orphan_whose_socket_is_lost_is_replaced(directory: Path) -> None:
    first = supervised(directory)
    orphan = Embedded(directory).pid
    end(first)
    runtime = Path(json.loads((directory / "server.json").read_text())["runtime"])
    (runtime / ".s.PGSQL.5432").unlink()

    with Embedded(directory) as second:
        assert not second.adopted and second.pid != orphan
        assert query(second.url, "select 1") == 1
    assert not runtime.exists()


@pytest.mark.parametrize("what", ["started", "vacated"])
def test_a_copy_of_a_running_one_leaves_it_alone(directory: Path, what: str) -> None:
    """Its server.json names the other's socket."""
    copy = directory.with_name("copy")
    with Embedded(directory) as first:
        subprocess.run(["cp", "--archive", str(directory), str(copy)], check=True)
        if what == "vacated":
            Embedded(copy).vacate()
        else:
            with pytest.raises(NotRunning):
                Embedded.attach(copy)
            with Embedded(copy) as other:
                assert other.runtime != first.runtime
                query(other.url, "create table only_here (x int)", "select 1")

        assert query(first.url, "select to_regclass('only_here') is null")


def test_one_that_was_moved_meanwhile_is_still_adopted(directory: Path) -> None:
    first = supervised(directory)
    orphan = Embedded(directory).pid
    end(first)
    moved = directory.rename(directory.with_name("moved"))

    with Embedded(moved) as second:
        assert second.adopted and second.pid == orphan
        assert query(second.url, "select 1") == 1
