"""A real sandbox: the command in a process of its own, on a free port, in a folder of its own."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from liaison.services.sandbox.token import token

LIAISON = str(Path(sys.executable).with_name("liaison"))


def environment() -> dict[str, str]:
    """Ours, without any setting of an installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}


def liaison(*arguments: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [LIAISON, *arguments], capture_output=True, text=True, timeout=timeout, env=environment(), check=False
    )


@dataclass(slots=True)
class Running:
    """A started sandbox. `seconds` is how long it took from the command to the first page."""

    folder: Path
    process: "subprocess.Popen[str]"
    seconds: float
    _tokens: dict[tuple[str, str, str], tuple[str, float]] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "sandbox.json").read_text())
        return found

    def token(self, who: str) -> str:
        """What `liaison sandbox token` prints, without the time a command takes to start. The tests of a module share it
        for a minute, at one address: to sign in takes longer than most of what is then asked."""
        known = self.known
        whose = (os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0], str(known["issuer"]), who)
        kept, since = self._tokens.get(whose, ("", 0.0))
        if not kept or time.monotonic() - since > 60:
            kept, since = token(known, who), time.monotonic()
            self._tokens[whose] = kept, since
        return kept

    def get(self, token: str, path: str) -> httpx.Response:
        return httpx.get(f"{self.known['fhir']}/{path}", headers={"authorization": f"Bearer {token}"}, timeout=60)

    def post(self, token: str, path: str, tree: dict[str, Any]) -> httpx.Response:
        return self._send("POST", token, path, tree)

    def put(self, token: str, path: str, tree: dict[str, Any]) -> httpx.Response:
        return self._send("PUT", token, path, tree)

    def _send(self, method: str, token: str, path: str, tree: dict[str, Any]) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
        return httpx.request(method, f"{self.known['fhir']}/{path}", headers=headers, json=tree, timeout=60)

    def patients(self, who: str) -> set[str]:
        """The keys of the patients of the territory that this person sees. Those whom other tests received have none."""
        keys = {patient["id"]: patient["key"] for patient in self.known["patients"]}
        bundle = self.get(self.token(who), "Patient?_count=200").json()
        found = (entry["resource"]["id"] for entry in bundle.get("entry", []))
        return {keys[one] for one in found if one in keys}


def start(folder: Path, *more: str) -> Running:
    began = time.monotonic()
    process = subprocess.Popen(
        [LIAISON, "sandbox", "--data", str(folder), "--port", "0", *more],  # of two --port the last counts
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Territoire de démonstration"):
            return Running(folder, process, time.monotonic() - began)
    raise AssertionError(f"liaison sandbox ended with {process.wait()}")


def stop(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    try:
        running.process.wait(30)
    except subprocess.TimeoutExpired:
        running.process.kill()
        running.process.wait()
    assert running.process.stdout is not None
    running.process.stdout.close()


def _loaded(together: Path) -> Path:
    """The folder of a sandbox that was loaded and stopped, made once for all the processes of this test run."""
    folder = together / "loaded-sandbox"
    with (together / "loaded-sandbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "sandbox.json").exists():
            stop(start(folder))
    return folder


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One territory for the tests of a session, which they may change: a copy, since loading one takes half a minute."""
    own = tmp_path_factory.mktemp("sandbox") / "data"
    base = tmp_path_factory.getbasetemp()
    loaded = _loaded(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    # Not Python's copytree, which leaves the files of the database's account to us.
    subprocess.run(["cp", "--archive", str(loaded), str(own)], check=True)
    running = start(own)
    yield running
    stop(running)
