"""Structured logs: one JSON line an event, on standard error. No clinical data, no names, no tokens, no queries."""

import contextlib
import sys
import traceback
from typing import Any, Final

import orjson
import structlog


class _StandardError:
    """Standard error, whoever it is now. A reader that has gone must not fail the request that logs."""

    def write(self, line: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.buffer.write(line)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.buffer.flush()


STANDARD_ERROR = _StandardError()
FRAMES: Final = 12


def _failure(_: Any, __: str, event: Any) -> Any:
    """Where it failed, innermost last, and the class of the error. Not its text: that may quote a record."""
    if event.pop("exc_info", False) and (error := sys.exc_info()[1]) is not None:
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        event["error"] = type(error).__qualname__
        event["frames"] = [f"{'/'.join(f.filename.split('/')[-3:])}:{f.lineno} {f.name}" for f in frames]
    return event


def _render(_: Any, __: str, event: Any) -> bytes:
    return orjson.dumps(event, default=lambda value: type(value).__name__)


def configure() -> None:
    """For a process of ours, once, before it logs anything."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _failure,
            _render,
        ],
        logger_factory=structlog.BytesLoggerFactory(file=STANDARD_ERROR),  # type: ignore[arg-type]  # write and flush are all it calls
        cache_logger_on_first_use=True,
    )
