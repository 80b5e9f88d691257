"""Small pieces of resources that several test files of this folder write."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from liaison.auth.access import vocabulary

Tree = dict[str, Any]
HIV: Final = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "B24"}]}


def label(*names: str) -> Tree:
    """Elements that set classes by hand."""
    return {"meta": {"security": [{"system": vocabulary.DATA_CLASS, "code": name} for name in names]}}


def moment(**ago: float) -> str:
    """A dateTime so long ago; negative is ahead."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat(timespec="seconds")
