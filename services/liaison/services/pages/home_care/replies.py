"""« On vous répond »: what clinicians sent back to the service these two days. An alert that was seen without a word is
told too: whoever raised it must not have to wonder."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.alerts import Standing, standing
from liaison.services.pages.clinician import alerts
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments, sentences
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record

Tree = dict[str, Any]
WITHIN: Final = timedelta(days=2)
_SEEN: Final = _("Alerte vue.")


@dataclass(frozen=True, slots=True)
class Reply:
    """One line: about whom, when, by whom."""

    who: str
    at: datetime | None
    by: str
    text: str


async def replies(record: Record, say: Say = str) -> list[Reply]:
    """Newest first."""
    since = (record.now() - WITHIN).isoformat(timespec="seconds")
    found = await asyncio.gather(_instructions(record, since, say), _seen(record, since, say))
    return sorted((one for some in found for one in some), key=_newest, reverse=True)


def _newest(one: Reply) -> datetime:
    return one.at or datetime.min.replace(tzinfo=UTC)


async def _instructions(record: Record, since: str, say: Say) -> list[Reply]:
    query = {
        "category": f"{codes.HOME_CARE}|instruction",
        "sent": f"ge{since}",
        "_sort": "-sent",
        "_include": "Communication:patient",
        "_count": "20",
    }
    found = await record.search("Communication", query, most=40)
    people = _people(found)
    return [
        Reply(
            people.get(str(tree.get("subject", {}).get("reference")), ""),
            moments.happened(tree),
            sentences.author(tree),
            sentences.sentence(tree, say),
        )
        for tree in found
        if tree["resourceType"] == "Communication" and not in_error(tree)
    ]


async def _seen(record: Record, since: str, say: Say) -> list[Reply]:
    """Those with an instruction are told by it."""
    query = {
        "code": alerts.CODE,
        "status": "in-progress",
        "modified": f"ge{since}",
        "_sort": "-modified",
        "_include": "Task:patient",
        "_count": "20",
    }
    found = await record.search("Task", query, most=40)
    people = _people(found)
    return [
        Reply(people.get(alerts.patient_of(tree), ""), moments.written(tree), told.seen_by, say(_SEEN))
        for tree in found
        if tree["resourceType"] == "Task"
        and standing(tree, record.now()) is Standing.SEEN
        and not (told := alerts.told(tree, record.now(), say)).instruction
        and told.seen_by
    ]


def _people(found: list[Tree]) -> dict[str, str]:
    return {f"Patient/{tree['id']}": identity(tree).short for tree in found if tree["resourceType"] == "Patient"}
