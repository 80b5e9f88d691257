"""Why a caller asks: HL7 v3 PurposeOfUse, as numbers that are stored (never reused, never renumbered)."""

from enum import IntEnum


class Purpose(IntEnum):
    """One a session, from the role. ETREAT only by an emergency access."""

    TREAT = 1  # care by a health professional
    ETREAT = 2  # emergency care (CSP L.1111-17)
    COORD = 3  # coordination, home help, social follow-up
    PATRQT = 4  # the patient, or who represents them
    HOPERAT = 5  # running and auditing the service
