"""A service whose machine has a wrong clock: libfaketime before its processes alone, never before the database's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...services.conftest import address, end

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), Path("/nowhere"))

Running = tuple[str, "subprocess.Popen[str]"]

_BY_THE_WALL = """
import time
from liaison.fhir.store import clock

clock.Clock.seconds = lambda self: time.time()
"""
"""The fault: a worker that believes its own machine."""


@contextmanager
def served(base: dict[str, str], shift: str, folder: Path, *, planted: bool = False) -> Iterator[Running]:
    """The address and the process of one worker whose machine's clock is off by `shift` ('+1d'). `planted`: and which goes by it."""
    environment = {**os.environ, **{f"LIAISON_{name}": value for name, value in base.items() if name != "PROXY_SOCKET"}}
    environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    if planted:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_BY_THE_WALL)
        environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    liaison = str(Path(sys.executable).with_name("liaison"))
    process = subprocess.Popen(
        [liaison, "serve", "--port", "0", "--workers", "1"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield address(process), process
    finally:
        end(process)
