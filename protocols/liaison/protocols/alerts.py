"""The one alert module: who must see it, by when, who has seen it, what goes back to the person who raised it.

An alert is a Task whose code is a level. The levels' recipients and delays are ActivityDefinitions of the library, so
that an organisation changes them without code. Acknowledging, closing and merging return new trees; nothing is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from liaison.fhir.model.dates import span
from liaison.protocols import codes
from liaison.protocols.calendar import annotation
from liaison.protocols.carry_out import UNASSIGNED
from liaison.protocols.library.library import Library
from liaison.protocols.team import owner

Tree = dict[str, Any]

LEVELS: Final = codes.LEVELS
_OPENS, _CLOSES = time(8), time(20)
_PARIS: Final = ZoneInfo("Europe/Paris")
_CLOSED: Final = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})
_SEEN: Final = frozenset({"accepted", "in-progress", "on-hold"})
_OF_A_LEVEL: Final = ("code", "priority", "restriction", "owner", "performerType", "instantiatesCanonical")
"""What an alert has from its level: how urgent, by when, for whom."""
_MERGE_WITHIN: Final = timedelta(hours=24)
_AGAIN: Final = "Signalé de nouveau"


class Standing(Enum):
    """WAITING: nobody has seen it and there is still time. OVERDUE: nobody has, or it did not arrive, and a person must phone."""

    WAITING = "pas encore vue"
    OVERDUE = "sans réponse"
    SEEN = "vue"
    CLOSED = "close"


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing noticed: the answer that says so, and the words to show. `own_words`: the aide's judgement, which passes
    whatever the organisation has adopted."""

    level: str
    coding: Tree
    text: str
    own_words: bool


def level_of(task: Tree) -> str:
    """'RED', 'ORANGE' or 'YELLOW'; '' when the Task is not an alert."""
    return next(
        (
            coding["code"]
            for coding in task.get("code", {}).get("coding", ())
            if coding.get("system") == codes.ALERT_LEVEL and coding.get("code") in LEVELS
        ),
        "",
    )


def _of_level(library: Library, level: str) -> Tree:
    return library.tree(f"{codes.LOCAL}/ActivityDefinition/alert-{level.lower()}")


def readers(library: Library, level: str, teams: Sequence[Tree], at: datetime) -> list[Tree]:
    """Whom an alert of this level reaches, the first first; [] when nobody would read it."""
    roles = [participant["role"] for participant in _of_level(library, level)["participant"]]
    return [person for role in roles if (person := owner(teams, [role], at.date())) is not None]


def raise_alert(
    library: Library,
    signs: Sequence[Sign],
    *,
    patient: str,
    teams: Sequence[Tree],
    by: Tree,
    at: datetime,
    focus: str = "",
    encounter: str = "",
    words: str = "",
) -> Tree:
    """The Task for these signs, at the highest of their levels. Its owner is the first recipient that the team has;
    without one it says 'À attribuer', and the page must say that nobody will read it now."""
    level = max((sign.level for sign in signs), key=LEVELS.index)
    definition = _of_level(library, level)
    roles = [participant["role"] for participant in definition["participant"]]
    recipients = readers(library, level, teams, at)
    deadline = due_by(at, definition["timingDuration"])
    task: Tree = {
        "resourceType": "Task",
        "instantiatesCanonical": f"{definition['url']}|{definition['version']}",
        "status": "requested",
        "intent": "order",
        "priority": definition["priority"],
        "code": {**definition["code"], "text": definition["title"]},
        "description": "\n".join([*dict.fromkeys(sign.text for sign in signs), *([f"« {words} »"] if words else [])]),
        "focus": {"reference": focus},
        "for": {"reference": patient},
        "encounter": {"reference": encounter},
        "authoredOn": _text(at),
        "lastModified": _text(at),
        "requester": by,
        "performerType": roles,
        "owner": recipients[0] if recipients else {"display": UNASSIGNED},
        "restriction": {"period": {"start": _text(at), "end": _text(deadline)}, "recipient": recipients[1:]},
        "input": [
            {"type": {"text": "Signe"}, "valueCodeableConcept": {"coding": [sign.coding], "text": sign.text}}
            for sign in signs
        ],
    }
    for name in ("focus", "encounter"):
        if not task[name]["reference"]:
            del task[name]
    if not recipients[1:]:
        del task["restriction"]["recipient"]
    return task


def due_by(at: datetime, delay: Tree) -> datetime:
    """When it must have been seen. Minutes and days run at any hour; hours count from 8 to 20 only, every day."""
    value, unit = delay["value"], delay["code"]
    if unit in ("min", "d"):
        return at + (timedelta(minutes=value) if unit == "min" else timedelta(days=value))
    left = timedelta(hours=value)
    here = at.astimezone(_PARIS)
    while True:
        opens = datetime.combine(here.date(), _OPENS, _PARIS)
        closes = datetime.combine(here.date(), _CLOSES, _PARIS)
        start = max(here, opens)
        if start < closes:
            if start + left <= closes:
                return start + left
            left -= closes - start
        here = datetime.combine(here.date() + timedelta(days=1), _OPENS, _PARIS)


def standing(task: Tree, now: datetime) -> Standing:
    """Whether it has been seen, and if not whether it still can be in time."""
    if task.get("status") in _CLOSED:
        return Standing.CLOSED
    if task.get("status") in _SEEN:
        return Standing.SEEN
    if is_undelivered(task):
        return Standing.OVERDUE
    end = str(task.get("restriction", {}).get("period", {}).get("end", ""))
    found = span(end)
    late = found is not None and found["T" not in end] < now  # a day that is named counts whole
    return Standing.OVERDUE if late else Standing.WAITING


def acknowledge(
    task: Tree, task_reference: str, by: Tree, at: datetime, instruction: str = ""
) -> tuple[Tree, list[Tree]]:
    """'J'ai vu': the Task in progress with who and when, and the one line that returns to whoever raised it. Somebody else whose alert
    went into it sees their own closed, and not this one: they are told without an instruction too."""
    seen = {
        **task,
        "status": "in-progress",
        "businessStatus": {"text": "Vue"},
        "owner": by,
        "lastModified": _text(at),
        "executionPeriod": {"start": _text(at)},
    }
    instruction = instruction.strip()
    told: list[Tree | None] = [*_reporters(task)]
    if instruction:
        seen["output"] = [*task.get("output", ()), {"type": {"text": "Consigne"}, "valueString": instruction}]
        told.insert(0, task.get("requester"))
    return seen, [_reply(task, task_reference, by, at, instruction, one) for one in told]


def _reply(task: Tree, task_reference: str, by: Tree, at: datetime, instruction: str, to: Tree | None) -> Tree:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "category": [
            {"coding": [{"system": codes.HOME_CARE, "code": "instruction", "display": "Consigne"}], "text": "Consigne"}
        ],
        "priority": task.get("priority", "routine"),
        "subject": task["for"],
        "about": [{"reference": task_reference}],
        "sent": _text(at),
        **({"recipient": [to]} if to is not None else {}),
        "sender": by,
        "payload": [{"contentString": f"Vu. {instruction}".strip()}],
    }


def close(task: Tree, reason: str, display: str, by: Tree, at: datetime) -> Tree:
    """The alert is over, for a reason of CodeSystem alert-closing. Who had seen it stays."""
    period = {**task.get("executionPeriod", {"start": _text(at)}), "end": _text(at)}
    return {
        **task,
        "status": "completed",
        "businessStatus": {
            "coding": [{"system": codes.ALERT_CLOSING, "code": reason, "display": display}],
            "text": display,
        },
        "executionPeriod": period,
        "lastModified": _text(at),
        "note": [
            *task.get("note", ()),
            annotation(f"Alerte close : {display}", by, at),
        ],
    }


def same(open_alert: Tree, other: Tree) -> bool:
    """Whether a new alert repeats one that is open: same person, a sign in common, less than a day apart."""
    if open_alert.get("status") in _CLOSED or open_alert["for"] != other["for"]:
        return False
    apart = datetime.fromisoformat(other["authoredOn"]) - datetime.fromisoformat(open_alert["authoredOn"])
    return abs(apart) < _MERGE_WITHIN and bool(_signs(open_alert) & _signs(other))


def merge(open_alert: Tree, other: Tree) -> Tree:
    """The open alert with what the other adds. A higher level takes over its code, delay and people; and if it had been
    seen, it must be seen again."""
    known = _signs(open_alert)
    added = [sign for sign in other["input"] if not _codes(sign) & known]
    merged = {
        **open_alert,
        **_with_reporters(open_alert, other),
        "lastModified": other["authoredOn"],
        "input": [*open_alert["input"], *added],
        "description": "\n".join(dict.fromkeys((open_alert["description"] + "\n" + other["description"]).split("\n"))),
        "note": [
            *open_alert.get("note", ()),
            annotation(_AGAIN, other["requester"], datetime.fromisoformat(other["authoredOn"])),
        ],
    }
    if LEVELS.index(level_of(other)) > LEVELS.index(level_of(open_alert)):
        merged |= {name: other[name] for name in _OF_A_LEVEL} | {"status": "requested"}
        merged.pop("businessStatus", None)
    return merged


def answered_already(merged: Tree, task_reference: str, other: Tree, at: datetime) -> Tree | None:
    """What goes back to whoever raised an alert that went into one which stays seen; None where it must be seen again, or it was no
    person with a reference."""
    to = other.get("requester", {})
    if merged.get("status") not in _SEEN or "reference" not in to:
        return None
    said = [str(one["valueString"]) for one in merged.get("output", ()) if "valueString" in one]
    return _reply(merged, task_reference, merged["owner"], at, said[-1] if said else "", to)


def _with_reporters(open_alert: Tree, other: Tree) -> Tree:
    """The extensions of the open alert with whoever raised the other, each once; its own author is not among them."""
    kept = [one for one in open_alert.get("extension", ()) if one["url"] != codes.ALSO_REPORTED]
    told = [*_reporters(open_alert), *_reporters(other), other.get("requester", {})]
    own = open_alert.get("requester", {}).get("reference")
    by = {one["reference"]: one for one in told if one.get("reference") not in (None, own)}
    made = [*kept, *({"url": codes.ALSO_REPORTED, "valueReference": one} for one in by.values())]
    return {"extension": made} if made else {}


def _reporters(alert: Tree) -> list[Tree]:
    return [one["valueReference"] for one in alert.get("extension", ()) if one.get("url") == codes.ALSO_REPORTED]


def reported_again(alert: Tree) -> bool:
    """Whether somebody else's alert went into this one: then it is no longer its author's alone to correct."""
    return any(note.get("text") == _AGAIN for note in alert.get("note", ()))


WITHDRAWN: Final = "Retiré à la correction : "
"""Before the words of a sign that its author no longer tells."""


def corrected(alert: Tree, told: Tree | None, by: Tree, at: datetime) -> Tree:
    """An alert that nobody has seen, as its author now tells it; the very alert where that changes nothing.

    A higher level takes over its code, delay and people, as a first alert would have them. It is never lowered: a sign that
    is no longer told stays, is said to be withdrawn, and whoever is to read it decides."""
    now = told["input"] if told else []
    codes_now = {code for sign in now for code in _codes(sign)}
    withdrawn = [sign for sign in alert["input"] if not _codes(sign) & codes_now]
    lines = [f"{WITHDRAWN}{sign['valueCodeableConcept']['text']}" for sign in withdrawn]
    changed = {
        **alert,
        "input": [*now, *withdrawn],
        "description": "\n".join([*([told["description"]] if told else []), *lines]),
    }
    if told and LEVELS.index(level_of(told)) > LEVELS.index(level_of(alert)):
        changed |= {name: told[name] for name in _OF_A_LEVEL}
    if changed == alert:
        return alert
    note = annotation("Corrigé par l'auteur de l'alerte", by, at)
    return {**changed, "lastModified": _text(at), "note": [*alert.get("note", ()), note]}


def is_open(task: Tree) -> bool:
    """Whether nobody has closed it."""
    return task.get("status") not in _CLOSED


def signs_said(task: Tree) -> str:
    """What was noticed, in a line, without the words that somebody wrote to it."""
    return " ; ".join(
        text for sign in task.get("input", ()) if (text := sign.get("valueCodeableConcept", {}).get("text", ""))
    )


UNDELIVERED: Final = {
    "system": f"{codes.LOCAL}/CodeSystem/alert-delivery",
    "code": "undelivered",
    "display": "Non remis",
}


def undelivered(task: Tree, whom: str, by: Tree, at: datetime) -> Tree:
    """A message about it did not arrive: somebody phones, whatever time is left. An alert that was seen stays seen."""
    noted = {
        **task,
        "lastModified": _text(at),
        "note": [*task.get("note", ()), annotation(f"Message non remis à {whom}", by, at)],
    }
    if task.get("status") in _SEEN or not is_open(task):
        return noted
    return {**noted, "businessStatus": {"coding": [UNDELIVERED], "text": UNDELIVERED["display"]}}


def is_undelivered(task: Tree) -> bool:
    codings = (task.get("businessStatus") or {}).get("coding", ())
    return any(one.get("system") == UNDELIVERED["system"] and one.get("code") == UNDELIVERED["code"] for one in codings)


def _codes(sign: Tree) -> set[str]:
    return {coding.get("code", "") for coding in sign.get("valueCodeableConcept", {}).get("coding", ())}


def _signs(task: Tree) -> set[str]:
    return {code for sign in task.get("input", ()) for code in _codes(sign)}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
