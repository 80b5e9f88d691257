"""Whom the law lets take part in a session of therapeutic education as a patient educator: somebody trained for 40 hours (CSP
D.1161-1), sent by an association of users that is approved (CSP L.1114-1, L.1161-2), in that role in the directory.

Approval and training stand in the directory, which administrators keep: nobody says them of themselves, nor for a session. What
is missing there, or has no date, is lacking.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes, extension, period
from liaison.auth.access.roles import role_codes

ROLE: Final = "patient-educator"
Lacking = Literal["", "role", "approval", "training"]

Tree = Mapping[str, Any]


def lacking(role: Tree, person: Tree, association: Tree, at: datetime) -> Lacking:
    """The first thing that this PractitionerRole, Practitioner or Organization does not have on that day; '' for a patient educator
    whom the law lets in."""
    if role.get("active") is not True or ROLE not in role_codes(role) or not _covers(role.get("period") or {}, at):
        return "role"
    if association.get("active") is not True or not _begun(
        extension(association, vocabulary.APPROVED).get("valuePeriod"), at
    ):
        return "approval"
    trained = (
        one
        for one in person.get("qualification") or ()
        if vocabulary.TRAINED in codes([one.get("code")], vocabulary.DIRECTORY)
    )
    if person.get("active") is not True or not any(_begun(one.get("period"), at) for one in trained):
        return "training"
    return ""


def _begun(stated: object, at: datetime) -> bool:
    return isinstance(stated, Mapping) and "start" in stated and _covers(stated, at)


def _covers(stated: object, at: datetime) -> bool:
    during = period(stated)
    return during is not None and during.start <= at < during.end
