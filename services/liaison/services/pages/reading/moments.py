"""FHIR dates and times as Python's, at the precision they have."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from liaison.protocols import codes

Tree = dict[str, Any]
PARIS: Final = ZoneInfo("Europe/Paris")

_FILLED: Final = f"{codes.LOCAL}/StructureDefinition/device-time"

# Where each type says when it happened, first found wins.
_WHEN: Final = (
    "start",
    "effectiveDateTime",
    "effectiveInstant",
    "performedDateTime",
    "recordedDate",
    "onsetDateTime",
    "occurrenceDateTime",
    "authoredOn",
    "authored",
    "sent",
    "date",
    "dateTime",
    "start",
    "created",
    "issued",
)


def moment(text: str) -> datetime:
    """The first instant of a FHIR date or dateTime, in Paris where no zone is given. Raises ValueError."""
    if len(text) <= 10:
        padded = (text + "-01-01")[:10] if len(text) < 10 else text
        return datetime.combine(date.fromisoformat(padded), datetime.min.time(), PARIS)
    made = datetime.fromisoformat(text)
    return made if made.tzinfo else made.replace(tzinfo=PARIS)


def stated(tree: Tree) -> str:
    """When what the resource tells happened, as it says it: a FHIR date or dateTime; '' where it does not say."""
    for name in _WHEN:
        if isinstance(tree.get(name), str):
            return str(tree[name])
    for name in ("period", "effectivePeriod", "performedPeriod", "executionPeriod"):
        start = tree.get(name, {}).get("start") if isinstance(tree.get(name), dict) else None
        if start:
            return str(start)
    return ""


def happened(tree: Tree) -> datetime | None:
    """The first instant of what `stated` gives, for order; None where the resource does not say."""
    text = stated(tree)
    return moment(text) if text else None


def written(tree: Tree) -> datetime:
    """When the record received this version."""
    return moment(tree["meta"]["lastUpdated"])


def late(tree: Tree, by: timedelta = timedelta(hours=2)) -> bool:
    """Whether it was received long after it happened: the page then says when it was received."""
    when = happened(tree)
    if tree.get("resourceType") == "QuestionnaireResponse":
        # A form says itself when it was filled and when it was received.
        filled = next((e["valueDateTime"] for e in tree.get("extension", []) if e.get("url") == _FILLED), None)
        return filled is not None and when is not None and when - moment(filled) > by
    if when is not None and len(stated(tree)) <= 10:
        return written(tree).astimezone(PARIS).date() > when.date()
    return when is not None and written(tree) - when > by
