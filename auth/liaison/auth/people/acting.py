"""An account in a role: who a session acts as. The directory decides the roles, the table of roles their purpose."""

from dataclasses import replace
from typing import Final

from liaison.auth.access.roles import ROLES
from liaison.auth.people.accounts import Account
from liaison.auth.people.roles import HeldRole
from liaison.auth.sessions import Act
from liaison.fhir.definitions import type_of

_PERSONS = {"Patient": "patient", "RelatedPerson": "guardian"}


NO_ROLE: Final = HeldRole(0, 0, "none")
"""For a professional who holds no role today, because a replacement ended or has not begun."""


def in_role(account: Account, role: HeldRole) -> Act:
    """A professional, in one of the roles they hold; with NO_ROLE they see the directory and nobody's record."""
    if role == NO_ROLE:
        return replace(choosing(account), role_code=NO_ROLE.role_code)
    return Act(
        principals=(account.person.res, role.role),
        purpose=ROLES[role.role_code].purpose,
        role_code=role.role_code,
        account=account.number,
        practitioner=account.person.res,
        role=role.role,
        organization=role.organization,
    )


def as_oneself(account: Account) -> Act | None:
    """A patient, or the one who represents them; None for a professional, who first chooses a role.

    That a RelatedPerson represents the patient is not taken from the account: without the relation, nothing is visible.
    """
    role_code = _PERSONS.get(type_of(account.person.kind))
    if role_code is None:
        return None
    return Act(
        principals=(account.person.res,),
        purpose=ROLES[role_code].purpose,
        role_code=role_code,
        account=account.number,
        practitioner=account.person.res,
    )


def choosing(account: Account) -> Act:
    """Signed in, no role yet: a session without any principal, which sees the directory and nobody's record."""
    return Act(
        principals=(),
        purpose=ROLES["admin"].purpose,
        role_code="",
        account=account.number,
        practitioner=account.person.res,
    )
