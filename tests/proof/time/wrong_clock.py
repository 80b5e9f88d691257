"""A service whose machine has a wrong clock: libfaketime before its processes alone, never before the database's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...services.conftest import address, end

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), Path("/nowhere"))

Running = tuple[str, "subprocess.Popen[str]"]

BY_THE_WALL = """
import time
from liaison.fhir.store import clock

clock.Clock.seconds = lambda self: time.time()
"""
"""The fault: a worker that believes its own machine."""
BY_THE_FIRST_DIFFERENCE = """
import time
from liaison.fhir.store import clock

ahead = {}
clock.Clock.seconds = lambda self: time.time() + ahead.setdefault(
    "ahead", time.monotonic() + self._ahead - time.time())
"""
"""The fault that a clock which is wrong all the time does not show: its machine, put right once."""


def set_to(folder: Path, shift: str) -> None:
    """The clock of a machine that was served with a `folder` alone jumps, while the worker runs."""
    (folder / "shift").write_text(shift)
    time.sleep(2 * _LOOKED_AT)  # nothing tells that libfaketime has read it


_LOOKED_AT = 1
"""Seconds after which libfaketime reads its file again."""


@contextmanager
def served(base: dict[str, str], shift: str, folder: Path, *, planted: str = "") -> Iterator[Running]:
    """The address and the process of one worker whose machine's clock is off by `shift` ('+1d'); '' for one that may jump,
    see `set_to`. `planted`: and which is broken in this way."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, **{f"LIAISON_{name}": value for name, value in base.items() if name != "PROXY_SOCKET"}}
    environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    if shift:
        environment["FAKETIME"] = shift
    else:
        (folder / "shift").write_text("+0s")
        environment |= {"FAKETIME_TIMESTAMP_FILE": str(folder / "shift"), "FAKETIME_CACHE_DURATION": str(_LOOKED_AT)}
    if planted:
        (folder / "sitecustomize.py").write_text(planted)
        environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    liaison = str(Path(sys.executable).with_name("liaison"))
    process = subprocess.Popen(
        [liaison, "serve", "--port", "0", "--workers", "1"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield address(process), process
    finally:
        end(process)
