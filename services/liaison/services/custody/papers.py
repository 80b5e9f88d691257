"""What `liaison init` was told, and when backups were made and tried: small files that doctor reads. Nothing secret."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from liaison.auth.journal import expiry
from liaison.services.custody import outside

FILE: Final = "installation.json"


@dataclass(frozen=True, slots=True)
class Papers:
    """`hds_host` is certified to host health data (CSP L.1111-8) until `hds_until`. What the journal says can be read for
    `journal_years`, and its proofs for good."""

    made_at: str
    hds_host: str
    hds_until: str
    journal_years: int = expiry.YEARS

    @property
    def expires(self) -> date:
        return date.fromisoformat(self.hds_until)


def read(data: Path) -> Papers | None:
    """None on an installation that `liaison init` did not make: the sandbox, or a base of tests."""
    path = data / FILE
    return Papers(**json.loads(path.read_text())) if path.exists() else None


def told(data: Path) -> dict[str, Any]:
    """The same, for a backup: {} when there is none."""
    known = read(data)
    return asdict(known) if known else {}


def put_back(data: Path, kept: Mapping[str, Any]) -> None:
    """Those of a backup, where the folder has none of its own: what it has was said later."""
    if kept and read(data) is None:
        write(data, Papers(**kept))


def write(data: Path, papers: Papers) -> None:
    outside.replace(data / FILE, json.dumps(asdict(papers), indent=1) + "\n")


def backups(kept: Path) -> dict[str, Any]:
    """`last`: {at, path}; `tried`: {at, made_at}; {} when there was none."""
    path = kept / outside.BACKUPS
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def note_backup(kept: Path, what: str, **more: str) -> None:
    """Remembers that a backup was made (`last`) or tried (`tried`) now."""
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = backups(kept)
    known[what] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **more}
    outside.replace(kept / outside.BACKUPS, json.dumps(known, indent=1) + "\n")
