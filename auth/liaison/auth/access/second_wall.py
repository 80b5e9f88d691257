"""The second wall: each row about to leave is checked again, in plain Python, against the caller's own grants.

It shares nothing with the SQL predicate nor with the decision table: it walks the bits one by one, and holds in code a
few prohibitions of the law that no grant may lift (domain notes §2.5, rules 14, 22, 23, 24, 26, 26b). A row that SQL let
through and this refuses is an incident.
"""

from typing import Final

from liaison.auth.access.classes import Class
from liaison.auth.access.internal import INTERNALS
from liaison.auth.caller import Caller
from liaison.fhir.definitions import DIRECTORY_TYPES, type_of
from liaison.fhir.store.contract import NAMES_HIDDEN, Grant, Row

_CLINICAL: Final = (
    Class.CLIN | Class.MEDS | Class.ALLERGY | Class.LAB | Class.SYNTH | Class.STAY | Class.PSY | Class.SENS | Class.MINOR
)  # fmt: skip
_ALL: Final = ((1 << 63) - 1) ^ NAMES_HIDDEN
# Plain numbers: `&` with a member of an enumeration costs as much as the rest of a check.
_MASKED: Final = int(Class.MASKED)

_NEVER: Final[dict[str, int]] = {
    "home-aide": _CLINICAL | Class.SOC | Class.CLINSOC | Class.FILE,
    "home-service-manager": _CLINICAL,
    "trainee": Class.SENS | Class.MINOR,
    "secretary": _CLINICAL | Class.SOC | Class.CLINSOC | Class.NOTE3P | Class.PROT,
    "call-handler": _CLINICAL | Class.SOC | Class.CLINSOC | Class.NOTE3P | Class.PROT,
    "patient": Class.NOTE3P | Class.HELD | Class.PROT,
    "guardian": Class.NOTE3P | Class.MINOR | Class.PROT | Class.HELD,
    "caregiver": _CLINICAL | Class.NOTE3P | Class.PROT | Class.MASKED,
    "trusted-person": _CLINICAL | Class.NOTE3P | Class.PROT | Class.MASKED,
    "auditor": _ALL ^ (Class.AUD | Class.CONSENT),
    "dpo": _ALL ^ (Class.AUD | Class.CONSENT),
    "admin": _ALL,
    "coordinator-admin": _ALL,
    "referent": _ALL,
    "patient-educator": _ALL,
    "": _ALL,
}
NEVER: Final = {role: int(classes) for role, classes in _NEVER.items()}
"""What no grant may open for a role, whatever the table says."""

OWN_ONLY: Final[dict[str, int]] = {"trainee": _MASKED | int(Class.PROT), "substitute": int(Class.PROT)}
"""What a role may see of what it wrote itself, and of nobody else's (rows 25 and 26b; CSP R.1111-49)."""


def allows(caller: Caller, row: Row, unpermuted: int) -> bool:
    """May this row leave? `unpermuted` is its class mask with the patient's permutation undone."""
    if caller.session == 0:
        return False
    if row.key.patient == 0:
        return type_of(row.key.kind) in DIRECTORY_TYPES
    if caller.only_patient not in (0, row.key.patient):
        return False
    if unpermuted <= 0 or row.classes <= 0 or unpermuted.bit_count() != row.classes.bit_count():
        return False
    internal = INTERNALS.get(caller.role_code)
    if internal is not None:
        return type_of(row.key.kind) in internal.reads
    if unpermuted & NEVER.get(caller.role_code, 0):
        return False
    if unpermuted & _MASKED and caller.client and not caller.practitioner:
        return False  # Software of a structure is neither the author nor the attending doctor (rule 25).
    mine = [grant for grant in row.grants if _is_of(caller, grant)]
    if unpermuted & OWN_ONLY.get(caller.role_code, 0) and not any(_is_by_themselves(grant, row) for grant in mine):
        return False
    left = row.classes
    while left:
        bit = left & -left
        if not any(grant.mask & bit and _applies(grant, row) for grant in mine):
            return False
        left ^= bit
    return True


def _is_of(caller: Caller, grant: Grant) -> bool:
    return grant.principal != 0 and grant.principal in (caller.practitioner, caller.role, caller.client)


def _is_by_themselves(grant: Grant, row: Row) -> bool:
    return grant.author != 0 and grant.author == row.author


def _applies(grant: Grant, row: Row) -> bool:
    return (
        grant.author in (0, row.author) and grant.service in (0, row.service) and grant.addressee in (0, row.addressee)
    )
