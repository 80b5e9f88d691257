"""`make conformance APP=request.json`: a sandbox in which the vendor's software is registered, watched while it is used.

python -m tests.conformance.software request.json [report.json] [port]

Use the software against the address that is printed: sign in, open a record, read, come back after five minutes. Ctrl-C
ends it, judges what was sent, prints the table and writes the report.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ...services.running_sandbox import LIAISON, Running, environment, start, stop
from .checks import Software
from .report import judged, report
from .watching import Watch

_OPTIONS = {
    "name": "--name",
    "kind": "--kind",
    "algorithm": "--algorithm",
    "jwks_uri": "--jwks-uri",
    "binding": "--binding",
    "certificate_subject": "--certificate-subject",
    "launch_url": "--launch-url",
    "role": "--role",
}


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def registration(file: Mapping[str, Any], keys: Path, organization: str) -> list[str]:
    """The arguments of `liaison client add` that register what the file asks for."""
    words = [str(file["client_id"]), "--scope", " ".join(one["scope"] for one in file["scopes"])]
    for name, option in _OPTIONS.items():
        if file.get(name):
            words += [option, str(file[name])]
    for uri in file.get("redirect_uris") or ():
        words += ["--redirect-uri", uri]
    if file.get("jwks"):
        keys.write_text(json.dumps(file["jwks"]))
        words += ["--jwks", str(keys)]
    return [*words, *(["--organization", organization] if file.get("role") else [])]


def register(file: Mapping[str, Any], running: Running, folder: Path) -> None:
    """In the running sandbox, as its operator would."""
    owner = next(one["organization"] for one in running.known["people"] if one["organization"])
    own = {"DATA": running.folder, "KEY_FILE": running.folder / "key", "PUBLIC_URL": running.known["issuer"]}
    settings = {f"LIAISON_{name}": str(value) for name, value in own.items()}
    words = registration(file, folder / "keys.json", owner)
    subprocess.run([LIAISON, "client", "add", *words], env={**environment(), **settings}, check=True)


def table(results: list[dict[str, str]]) -> Table:
    made = Table("", "check", "what it says", "asked by")
    for one in results:
        made.add_row(one["result"], one["name"], f"{one['says']} {one['why']}".strip(), one["cites"])
    return made


async def _watch(watch: Watch, port: int) -> None:
    """Until the first Ctrl-C, or the end that a script or a terminal that closes asks for. What comes after it does not
    cost the report: judging what was seen takes a moment."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    async with watch.serving(port):
        await ended.wait()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def main(arguments: list[str]) -> int:
    """1 when a check fails, or when nothing was seen."""
    file = json.loads(Path(arguments[0]).read_text())
    to = Path(arguments[1]) if len(arguments) > 1 else Path(f"{file['client_id']}-conformance.json")
    port, behind = int(arguments[2]) if len(arguments) > 2 else _port(), _port()
    server, watch = f"http://127.0.0.1:{port}", Watch(f"http://127.0.0.1:{behind}")
    with tempfile.TemporaryDirectory() as folder:
        running = start(Path(folder) / "data", "--port", str(behind), "--public-url", server)
        try:
            register(file, running, Path(folder))
            print(f"FHIR server: {server}/fhir\nPeople, passwords and patients: {running.folder / 'sandbox.json'}")
            print("Use the software now. Ctrl-C when it has done all it does.", flush=True)
            asyncio.run(_watch(watch, port))
        finally:
            stop(running)
    results = judged(Software(file, server, watch.seen))
    Console(width=None if sys.stdout.isatty() else 160).print(table(results))
    to.write_text(json.dumps(report(file, results), indent=2, ensure_ascii=False) + "\n")
    print(f"{to}: the territory takes it in with `liaison client conformance {to}`.")
    found = [one["result"] for one in results]
    return 1 if "failed" in found or "passed" not in found else 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(sys.argv[1:]))
