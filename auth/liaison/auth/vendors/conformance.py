"""The report of `make conformance` turned on a vendor's software: taken in, and kept with the request that it is of.

A report is bound to the request file by a digest, so that one of an earlier file, or of another software, is not taken.
It says what was seen of the software in a sandbox; who ran it is for the two people who approve to know.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.auth.vendors.request_file import Problem

LARGEST: Final = 64 * 1024
RESULTS: Final = ("passed", "failed", "not-run")
_MOST: Final = 100
_TEXT: Final = 500
PLACE: Final = "/conformance/"
"""Where a problem stands that the report tells of, beside the JSON Pointers into the file."""


class BadReport(ValueError):
    """The report is not taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of a report."""

    name: str
    result: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    client_id: str
    file: str
    made_at: datetime
    checks: tuple[Checked, ...]

    def count(self, result: str) -> int:
        return sum(one.result == result for one in self.checks)

    @property
    def failed(self) -> tuple[Checked, ...]:
        return tuple(one for one in self.checks if one.result == "failed")

    @property
    def passed(self) -> bool:
        """Something was seen, and nothing was wrong with it."""
        return self.count("passed") > 0 and not self.failed


def digest_of(file: Mapping[str, Any]) -> str:
    """What a report is bound to: the SHA-256 of the file, however it is laid out."""
    canonical = json.dumps(file, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_report(content: bytes) -> Report:
    """Raises BadReport."""
    if len(content) > LARGEST:
        raise BadReport(f"The report is larger than {LARGEST} bytes.")
    try:
        tree = orjson.loads(content)
        checks = tuple(
            Checked(*(str(one[name])[:_TEXT] for name in ("name", "result", "why"))) for one in tree["checks"]
        )
        made_at = datetime.fromisoformat(tree["made_at"])
        found = Report(str(tree["client_id"]), str(tree["file"]), made_at, checks)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise BadReport("This is no report of make conformance.") from None
    if made_at.tzinfo is None or not 0 < len(checks) <= _MOST or any(one.result not in RESULTS for one in checks):
        raise BadReport("This is no report of make conformance.")
    return found


async def receive(connection: asyncpg.Connection, content: bytes) -> Report:
    """Keeps a report with the latest request of its client_id. In a transaction. Raises BadReport.

    While nobody has decided, a check that failed sends the request back to its vendor, and one that passes brings it
    before the two who approve again, unless the file itself has problems."""
    report = read_report(content)
    row = await connection.fetchrow(
        "select request, content, state, problems from client_request where client_id = $1 and state <> 'refused'"
        " order by received_at desc limit 1 for update",
        report.client_id,
    )
    if row is None:
        raise BadReport(f"Nothing was asked for {report.client_id}.")
    if digest_of(orjson.loads(row["content"])) != report.file:
        raise BadReport("The report is of another request file than the one that was taken in.")
    problems = [Problem(*one) for one in orjson.loads(row["problems"]) if not one[0].startswith(PLACE)]
    state = row["state"]
    if state != "registered":
        problems += [Problem(f"{PLACE}{one.name}", one.why) for one in report.failed]
        state = "to-correct" if problems else "to-approve"
    await connection.execute(
        "update client_request set conformance = $2, problems = $3, state = $4 where request = $1",
        row["request"],
        orjson.dumps(_kept(report)).decode(),
        orjson.dumps([list(one) for one in problems]).decode(),
        state,
    )
    if state == "to-approve" and row["state"] == "to-correct":
        await notices.tell(connection, Kind.SOFTWARE, row["request"])
    elif state == "to-correct" and row["state"] == "to-approve":
        await notices.read(connection, Kind.SOFTWARE, row["request"])
    return report


def _kept(report: Report) -> dict[str, Any]:
    checks = [{"name": one.name, "result": one.result, "why": one.why} for one in report.checks]
    return {
        "client_id": report.client_id,
        "file": report.file,
        "made_at": report.made_at.isoformat(),
        "checks": checks,
    }
