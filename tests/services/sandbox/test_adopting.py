"""Another table of rules at the console of a running service: both workers go by it at once, and nobody restarts them."""

import html
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from liaison.auth.access.table import packaged_text

from ..processes import workers_of
from ..running_sandbox import LIAISON, Running
from .conftest import behind, environment

pytestmark = pytest.mark.http

ASKED = 10  # enough that both workers answer
WITHOUT_CLIN = (
    packaged_text()
    .replace("read: [ADM, COORD, VITAL, CLIN, ETP, CONSENT,", "read: [ADM, COORD, VITAL, ETP, CONSENT,", 1)
    .replace('version: "2026.1"', 'version: "2026.9"', 1)
)
DECISION = ("--yes", "--by", "Mme Essai, DPO", "--because", "essai")


def rules(sandbox: Running, *words: str) -> "subprocess.Popen[str]":
    own = {
        "LIAISON_DATA": str(sandbox.folder),
        "LIAISON_KEY_FILE": str(sandbox.folder / "key"),
        "LIAISON_PUBLIC_URL": sandbox.known["issuer"],
    }
    return subprocess.Popen(
        [LIAISON, "rules", *words], env={**environment(), **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip


def done(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def totals(sandbox: Running, token: str) -> set[int]:
    """Over new connections, which the kernel gives to the workers in turn."""
    return {sandbox.get(token, "Condition?_summary=count&_total=accurate").json()["total"] for _ in range(ASKED)}


def page(sandbox: Running) -> str:
    return html.unescape(httpx.get(f"{sandbox.known['issuer']}/regles", timeout=60).text)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.05)


def test_what_a_table_takes_is_gone_on_both_workers_and_comes_back(sandbox: Running, tmp_path: Path) -> None:
    file, token = tmp_path / "table.yaml", sandbox.token("gp")
    file.write_text(WITHOUT_CLIN, "utf-8")
    workers = workers_of(sandbox.process)
    (before,) = totals(sandbox, token)
    assert before > 0

    said = done(rules(sandbox, "adopt", str(file), *DECISION))
    try:
        assert f"Dossiers dont les droits sont ceux de cette table : {len(sandbox.known['patients'])}." in said
        assert totals(sandbox, token) == {0}
        assert "Ce sont les règles livrées" not in page(sandbox)
    finally:
        done(rules(sandbox, "withdraw", *DECISION))

    assert totals(sandbox, token) == {before}
    assert "Ce sont les règles livrées" in page(sandbox)
    assert len(workers) == 2
    assert workers_of(sandbox.process) == workers


def test_a_visit_is_told_in_the_rules_of_its_time(sandbox: Running, tmp_path: Path) -> None:
    file, seen = tmp_path / "table.yaml", min(sandbox.patients("nurse"))
    id_ = next(one["id"] for one in sandbox.known["patients"] if one["key"] == seen)
    said = "(règles version 2026.9, qui ne sont plus en vigueur)"
    file.write_text(WITHOUT_CLIN, "utf-8")

    done(rules(sandbox, "adopt", str(file), *DECISION))
    try:
        assert sandbox.get(sandbox.token("nurse"), f"Patient/{id_}").status_code == 200
        with behind(sandbox, "auditor") as auditor:
            assert said not in html.unescape(auditor.get(f"/journal/dossiers/{id_}").text)
    finally:
        done(rules(sandbox, "withdraw", *DECISION))

    with behind(sandbox, "auditor") as auditor:
        assert said in html.unescape(auditor.get(f"/journal/dossiers/{id_}").text)


def test_the_command_killed_on_its_way_leaves_the_rest_to_the_service(sandbox: Running, tmp_path: Path) -> None:
    file, token = tmp_path / "table.yaml", sandbox.token("gp")
    file.write_text(WITHOUT_CLIN, "utf-8")
    (before,) = totals(sandbox, token)

    def decisions() -> list[str]:
        return re.findall(r"décision n° (\d+)", page(sandbox))

    known = decisions()
    process = rules(sandbox, "adopt", str(file), *DECISION)
    until(lambda: decisions() != known)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    try:
        until(lambda: "recalculés pour" not in page(sandbox))
        assert totals(sandbox, token) == {0}
    finally:
        done(rules(sandbox, "withdraw", *DECISION))
    assert totals(sandbox, token) == {before}
