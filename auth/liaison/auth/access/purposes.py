"""Why data are used: the five purposes of the table, codes of http://terminology.hl7.org/CodeSystem/v3-ActReason."""

from enum import IntEnum


class Purpose(IntEnum):
    """Stored in access_session and access_grant. COORD is v3's CAREMGT."""

    TREAT = 1
    ETREAT = 2
    COORD = 3
    PATRQT = 4
    HOPERAT = 5

    @property
    def code(self) -> str:
        """The v3-ActReason code, as an AuditEvent or a Consent carries it."""
        return "CAREMGT" if self is Purpose.COORD else self.name


def from_code(code: str) -> Purpose | None:
    """The purpose of a v3-ActReason code; None for one that the table does not know (and that gives no right)."""
    return {purpose.code: purpose for purpose in Purpose}.get(code) or (Purpose.COORD if code == "COORD" else None)
