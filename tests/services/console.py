"""The `liaison` command as it is typed, in a thread of the test's process: to load what it needs takes a process of its
own two seconds and a half. What only such a process shows is looked at where one is started: `liaison serve`, the
sandbox, and every command of deploy/restore.md."""

import contextlib
import gc
import io
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

from liaison.services import logs
from liaison.services.command import main


def typed(environment: Mapping[str, str], *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """`liaison` with these words in exactly this environment. `given` is what it reads."""
    out, err = _text(), _text()
    with _as_process(environment, ["liaison", *words], given, out, err), ThreadPoolExecutor(1) as thread:
        code = thread.submit(_main).result()
    return subprocess.CompletedProcess(words, code, _read(out), _read(err))


def _main() -> int:
    """The exit code, as Python gives it to a process."""
    try:
        # The loggers of this process are configured once for all, or `capture_logs` would miss some in later tests; and
        # what a process that begins may keep for good, this one would never be rid of.
        with patch.object(logs, "configure"), patch.object(gc, "freeze"):
            main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # a process shows whatever it ends by, and so does this
        traceback.print_exc()
        return 1
    return 0


@contextlib.contextmanager
def _as_process(
    environment: Mapping[str, str], arguments: list[str], given: str, out: io.TextIOWrapper, err: io.TextIOWrapper
) -> Iterator[None]:
    before = dict(os.environ)
    reads = io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8")
    with (
        patch.object(sys, "argv", arguments),
        patch.object(sys, "stdin", reads),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            os.environ.clear()
            os.environ.update(environment)
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _text() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _read(text: io.TextIOWrapper) -> str:
    text.flush()
    written = text.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()
