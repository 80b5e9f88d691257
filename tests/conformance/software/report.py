"""What the checks say of one software: a table to read, and a file that the territory takes in (liaison client conformance)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..checks import NotRun
from .checks import EVERY, Software


def judged(software: Software) -> list[dict[str, str]]:
    """Each check with its result: passed, failed or not-run, and why."""
    results = []
    for one in EVERY:
        try:
            faults = list(dict.fromkeys(one.faults(software)))
            result, why = ("failed", " ".join(faults)) if faults else ("passed", "")
        except NotRun as reason:
            result, why = "not-run", str(reason)
        results.append({"name": one.name, "says": one.says, "cites": one.cites, "result": result, "why": why})
    return results


def report(file: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Bound to the file that it was made of. Nothing that was exchanged is in it."""
    canonical = json.dumps(file, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "client_id": file["client_id"],
        "file": hashlib.sha256(canonical.encode()).hexdigest(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "checks": [{name: one[name] for name in ("name", "result", "why")} for one in results],
    }
