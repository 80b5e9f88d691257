"""A call about an alert: somebody phoned, and says whom, whether they were reached, and what was said.

An alert that nobody has seen in time ends with a person who phones. Whoever was told on the telephone has seen it, by the word
of who called; a call that nobody answered is kept too, and the alert goes on waiting.
"""

from datetime import datetime
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.alerts import Standing, standing
from liaison.protocols.calendar import annotation

Tree = dict[str, Any]

_PHONE: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
            "code": "PHONE",
            "display": "Téléphone",
        }
    ],
    "text": "Téléphone",
}
REACHED: Final = "Au téléphone avec {whom}"
NOT_REACHED: Final = "Appel à {whom}, sans réponse"


def called(
    task: Tree, task_reference: str, by: Tree, at: datetime, *, whom: str, words: str, reached: bool
) -> tuple[Tree, Tree]:
    """The alert with this call in it, and the Communication that is the call. Who had seen the alert stays."""
    said = (REACHED if reached else NOT_REACHED).format(whom=whom)
    line = f"{said} : {words}" if words else said
    changed = {
        **task,
        "lastModified": _text(at),
        "note": [*task.get("note", ()), annotation(line, by, at)],
    }
    if reached and standing(task, at) in (Standing.WAITING, Standing.OVERDUE):
        changed |= {
            "status": "in-progress",
            "businessStatus": {"text": "Vue"},
            "owner": by,
            "executionPeriod": {"start": _text(at)},
        }
    call: Tree = {
        "resourceType": "Communication",
        "status": "completed" if reached else "not-done",
        "category": [{"coding": [{"system": codes.HOME_CARE, "code": "call", "display": "Appel"}], "text": "Appel"}],
        "medium": [_PHONE],
        "subject": task["for"],
        "about": [{"reference": task_reference}],
        "sent": _text(at),
        "sender": by,
        "recipient": [{"display": whom}],
        "payload": [{"contentString": line}],
    }
    if not reached:
        call["statusReason"] = {"text": "Sans réponse"}
    return changed, call


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
