"""An account in a role: who a session acts as. The directory decides the roles, the table of roles their purpose."""

from dataclasses import replace
from typing import Final

import asyncpg

from liaison.auth.access.relations import Relation
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


async def represents(connection: "asyncpg.Connection | asyncpg.Pool", account: Account) -> bool:
    """Whether a RelatedPerson represents the patient now: the judgment or document was seen. Others who are close are
    caregivers, whom the patient names in a Consent or who see nothing (rules 22 and 23)."""
    return bool(
        await connection.fetchval(
            "select exists (select from relation where patient = $1 and principal = $2 and relation = $3"
            " and valid_from <= now() and valid_to > now())",
            account.person.patient,
            account.person.res,
            int(Relation.REPRESENTED),
        )
    )


def as_oneself(account: Account, *, representing: bool) -> Act | None:
    """A patient, the one who represents them or one who is close; None for a professional, who first chooses a role.

    What a RelatedPerson is to the patient opens nothing by itself: without the relation, nothing is visible.
    """
    role_code = _PERSONS.get(type_of(account.person.kind))
    if role_code is None:
        return None
    if role_code == "guardian" and not representing:
        role_code = "caregiver"
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
