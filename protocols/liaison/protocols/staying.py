"""A stay in hospital, as the home service confirms it: visits pause, alerts close with that reason, and at discharge the visits resume
and the step of the seven days is dated.

Pure: each function gives the trees that a transaction writes. What the hospital itself records of the stay (Encounter) is its own.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.library.library import Library
from liaison.protocols.team import owner

Tree = dict[str, Any]

CODE: Final = "hospitalised"
HOSPITAL, DISCHARGED = "hospital", "discharged"
"""The question of a visit that tells of a return, and its answer."""
WITHIN: Final = timedelta(days=7)
_STEP: Final = "after-stay-7-days"
_CODING: Final = {"system": codes.HOME_CARE, "code": CODE, "display": "Hospitalisée"}
_REASON: Final = {
    "coding": [{"system": codes.ALERT_CLOSING, "code": CODE, "display": "Hospitalisation"}],
    "text": "Hospitalisation",
}
_TODO: Final = frozenset({"requested", "received", "accepted", "ready", "on-hold", "draft"})


def flag(patient: str, since: date, place: str, by: Tree) -> Tree:
    """What everyone on the team sees for as long as it lasts."""
    where = f", {place}" if place else ""
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"coding": [_CODING], "text": f"Hospitalisation depuis le {since:%d/%m/%Y}{where}"},
        "subject": {"reference": patient},
        "period": {"start": since.isoformat()},
        "author": by,
    }


def passed(patient: str, until: date, by: Tree) -> Tree:
    """A stay that was over before anyone confirmed it: since when is not known."""
    code = {"coding": [_CODING], "text": f"Hospitalisation jusqu'au {until:%d/%m/%Y}"}
    return {**over(flag(patient, until, "", by), until), "code": code, "period": {"end": until.isoformat()}}


def was_stay(tree: Tree) -> bool:
    """Whether this Flag is one of a stay, whether it goes on or not."""
    codings = (tree.get("code") or {}).get("coding", [])
    return tree.get("status") in ("active", "inactive") and any(
        one.get("system") == codes.HOME_CARE and one.get("code") == CODE for one in codings
    )


def is_stay(tree: Tree) -> bool:
    """Whether this Flag is one of a stay that goes on."""
    return tree.get("status") == "active" and was_stay(tree)


def over(stay: Tree, until: date) -> Tree:
    return {**stay, "status": "inactive", "period": {**stay.get("period", {}), "end": until.isoformat()}}


def paused(appointment: Tree) -> Tree:
    """It is known again by its reason, by which it also stays a line of its aide's (`liaison.auth.access.facts`)."""
    return {**appointment, "status": "cancelled", "cancelationReason": _REASON}


def noted(appointment: Tree) -> Tree:
    """One that is planned, or planned otherwise, during the stay: it pauses from the beginning. Its reason is of another system than that
    by which a line that stood goes on giving its right (auth.access.facts.appointment): this one gives none before it resumes."""
    reason = {"coding": [_CODING], "text": _REASON["text"]}
    return {**appointment, "status": "cancelled", "cancelationReason": reason}


def is_paused(appointment: Tree) -> bool:
    codings = (appointment.get("cancelationReason") or {}).get("coding", [])
    return appointment.get("status") == "cancelled" and any(one.get("code") == CODE for one in codings)


def resumed(appointment: Tree) -> Tree:
    kept = {name: value for name, value in appointment.items() if name != "cancelationReason"}
    return {**kept, "status": "booked"}


def is_step(task: Tree) -> bool:
    """Whether it is the step of the seven days, still to be done."""
    codings = (task.get("code") or {}).get("coding", [])
    return task.get("status") in _TODO and any(
        one.get("system") == codes.STEP and one.get("code") == _STEP for one in codings
    )


def dated(step: Tree, discharge: date, at: datetime) -> Tree:
    """The step of a plan, due seven days after that day."""
    due = {"start": discharge.isoformat(), "end": (discharge + WITHIN).isoformat()}
    restriction = {**step.get("restriction", {}), "period": due}
    return {**step, "restriction": restriction, "lastModified": at.isoformat(timespec="seconds")}


def step(library: Library, patient: str, teams: Sequence[Tree], discharge: date, by: Tree, at: datetime) -> Tree:
    """The step, for somebody whose plan has none: its owner is the first of its roles whom the team has."""
    definition = library.tree(f"{codes.LOCAL}/ActivityDefinition/{_STEP}")
    roles = [one["role"] for one in definition.get("participant", [])]
    doer = owner(teams, roles, discharge)
    made: Tree = {
        "resourceType": "Task",
        "instantiatesCanonical": f"{definition['url']}|{definition['version']}",
        "status": "requested",
        "intent": "plan",
        "priority": "urgent",
        "code": {"coding": [{"system": codes.STEP, "code": _STEP, "display": definition["title"]}]},
        "description": definition["title"],
        "for": {"reference": patient},
        "authoredOn": at.isoformat(timespec="seconds"),
        "requester": by,
        "performerType": roles,
        "owner": doer or {"display": "À attribuer"},
    }
    return dated(made, discharge, at)
