"""What a step asked for goes the way of the step: its request is closed where the step is set aside, with the reason where R4 has a
place for one, and open again where the step is. Pure: trees in, trees out."""

from datetime import datetime
from typing import Any, Final

from liaison.protocols.calendar import annotation

Tree = dict[str, Any]

OVER: Final = frozenset({"completed", "revoked", "cancelled", "fulfilled", "noshow", "stopped", "entered-in-error"})
_REVOKED: Final = frozenset({"CommunicationRequest", "DeviceRequest", "ServiceRequest"})
"""request-status knows no 'cancelled'; the other kinds know no 'revoked'."""
_WHY: Final = {
    "Appointment": "cancelationReason",
    "CommunicationRequest": "statusReason",
    "MedicationRequest": "statusReason",
}
_NOTES: Final = frozenset({"DeviceRequest", "ServiceRequest"})
"""R4 gives these no reason of their state: it is noted."""
_AGAIN: Final = {"Appointment": "proposed", "MedicationRequest": "draft"}
"""As a protocol asks for them (liaison.protocols.requests); any other is active."""


def closed(request: Tree, reason: Tree, by: Tree, at: datetime) -> Tree | None:
    """The request, not to be done any more; None for one that is over. `reason` is a CodeableConcept with a text."""
    if request.get("status") in OVER:
        return None
    type_ = request["resourceType"]
    after = {**request, "status": "revoked" if type_ in _REVOKED else "cancelled"}
    if type_ in _WHY:
        after[_WHY[type_]] = reason
    elif type_ in _NOTES:
        after["note"] = [*request.get("note", ()), annotation(str(reason["text"]), by, at)]
    return after


def opened(request: Tree) -> Tree | None:
    """The request, to be done once more; None for one that is not closed."""
    if request.get("status") not in ("revoked", "cancelled"):
        return None
    type_ = request["resourceType"]
    kept = {name: value for name, value in request.items() if name != _WHY.get(type_)}
    return {**kept, "status": _AGAIN.get(type_, "active")}
