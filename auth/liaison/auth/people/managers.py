"""What a manager may do with people: those of her own structure, in the roles that she may give there, never herself.

A self-employed professional manages those who work in her place or under her name: her substitute, her trainee, her
secretary. The contract of a replacement is between the two of them (R.4127-65 CSP), and a doctor alone has no referent.

The rules are two tables and one question. They are looked up in the transaction that acts, over the directory's own rows.
A role elsewhere, or one that she could not give, puts a person's *account* out of her reach: whoever sets someone's PIN or
gives a link could otherwise act as them there. Their role in her structure stays hers to suspend and to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from liaison.auth.access.intervals import BEGINNING, FOREVER
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller

REFERENT: Final = "referent"
_SERVICE: Final = frozenset({"home-aide"})
BY_PHONE: Final = frozenset({"home-aide", "care-assistant"})
"""Who works from house to house, or from bed to bed, and signs in by a phone of the structure and a PIN."""
_ANYWHERE: Final = frozenset(
    {
        "nurse",
        "physio",
        "midwife",
        "speech-therapist",
        "dietitian",
        "ot",
        "psychologist",
        "social-worker",
        "secretary",
        "trainee",
        "care-assistant",
    }
)
_PRACTICE: Final = _ANYWHERE | {"gp", "specialist", "pharmacist", "podiatrist", "dentist", "substitute"}
_UNIT: Final = _ANYWHERE | {"hospital-doctor"}
SELF_EMPLOYED: Final = frozenset(
    {
        "gp",
        "specialist",
        "nurse",
        "physio",
        "midwife",
        "speech-therapist",
        "dietitian",
        "podiatrist",
        "dentist",
        "pharmacist",
    }
)
"""Those who manage only who acts for themselves."""
_FOR_ONESELF: Final = frozenset({"substitute", "trainee", "secretary"})
MANAGERS: Final[Mapping[str, frozenset[str]]] = {
    "home-service-manager": _SERVICE,
    REFERENT: _PRACTICE | _UNIT,
    **dict.fromkeys(SELF_EMPLOYED, _FOR_ONESELF),
}
"""Who manages people, and every role that they could give somewhere."""


def by_code_on_phone(role: str) -> bool:
    """Whether the first way in is eight digits on a phone of the structure; else it is a link."""
    return role in BY_PHONE


_NUMBERED: Final = frozenset({"substitute", "trainee"})
"""Of those who act for someone: a colleague or a student, with a number of their own. Without it a person whom the directory
knows would be there a second time, and an opposition to them would not know the second."""


def needs_number(role: str) -> bool:
    """Whether the person has an RPPS number, by which the directory, and Pro Santé Connect, know who that is."""
    return (ROLES[role].category == "health" and role != "care-assistant") or role in _NUMBERED


def stands_in(role: str) -> bool:
    """Whether it is held for a professional of the structure, who answers for it."""
    return ROLES[role].category == "delegate"


def is_dated(role: str) -> bool:
    """Whether it needs a last day (R.4127-65 CSP)."""
    return role in ("substitute", "trainee")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of her structure, by one of its roles. `role` is res of the PractitionerRole, `practitioner` of the person;
    `account` 0 for one who has none. `alone`: they reach no further than this. `own`: she may also open the account. `awaits`: not suspended, and
    without any right until their profession is known (people.professions). `stands_for`: the role code of whom they act for."""

    practitioner: int
    role: int
    role_code: str
    active: bool
    awaits: bool
    starts: datetime
    ends: datetime
    over: bool
    acts_for: int
    stands_for: str
    account: int
    username: str
    alone: bool
    own: bool
    has_secret: bool


_PEOPLE: Final = """
    with reach as (
        select h.role, h.practitioner, h.organization, h.role_code, h.active, w.role is not null as awaits, h.acts_for,
               h.valid_from, h.valid_to, coalesce((select min(r.role_code) from held_role r
                   where h.acts_for <> 0 and h.acts_for in (r.role, r.practitioner)), '') as stands_for,
               coalesce(a.account, 0) as account, coalesce(a.username, '') as username,
               a.password is not null as word, a.pin is not null as pin,
               exists (select from passkey p where p.account = a.account) as passkey,
               a.account is not null and not exists (
                   select from held_role o where o.practitioner = h.practitioner
                   and (o.organization <> h.organization or o.role_code <> all ($2::text[])
                        or ($5::bigint <> 0 and o.acts_for <> $5))) as alone
        from held_role h
        left join awaiting_role w using (role, role_code)
        left join account a on a.fhir_res = h.practitioner and a.fhir_kind = $3
        where h.organization = $1 and h.role_code = any ($2::text[]) and h.practitioner <> $4
          and ($5::bigint = 0 or h.acts_for = $5)
    )
    select practitioner, role, role_code, active, awaits, greatest(valid_from, $6) as starts, least(valid_to, $7) as ends,
           valid_to <= now() as over,
           acts_for, stands_for, account, username, alone, alone and not word and not passkey as own,
           word or pin or passkey as has_secret
    from reach order by active or awaits desc, valid_to desc, role
"""


async def gives(connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller) -> frozenset[str]:
    """The roles that this caller may give in the structure they act for: a unit of a hospital has others than a practice.
    Empty for whoever manages nobody."""
    roles = MANAGERS.get(caller.role_code, frozenset())
    if not roles or not caller.organization or not caller.practitioner:
        return frozenset()
    if caller.role_code in SELF_EMPLOYED and await _of_a_unit(connection, caller):
        return frozenset()
    if caller.role_code != REFERENT:
        return roles
    return _UNIT if await _of_a_unit(connection, caller) else _PRACTICE


async def _of_a_unit(connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller) -> bool:
    """Whether the structure is part of a larger one, as a ward is."""
    part_of = await connection.fetchval(
        "select part_of from organization_part where organization = $1", caller.organization
    )
    return bool(part_of)


async def people_of(connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller, kind: int) -> list[Person]:
    """Everyone whom this manager may act on, those who have left last. Nobody, for someone who manages nothing."""
    given = await gives(connection, caller)
    if not given:
        return []
    rows = await connection.fetch(
        _PEOPLE,
        caller.organization,
        sorted(given),
        kind,
        caller.practitioner,
        answers_alone(caller),
        BEGINNING,
        FOREVER,
    )
    return [Person(**dict(row)) for row in rows]


def answers_alone(caller: Caller) -> int:
    """The role in whose name everyone of hers works, where she manages only those; else 0."""
    return caller.role if caller.role_code in SELF_EMPLOYED else 0


def vouches(caller: Caller) -> bool:
    """Whether this manager answers for the profession of whom she engages: the referent of a structure, who has seen who that
    is, as for every role that she gives. Nobody does for who stands in their own place."""
    return caller.role_code == REFERENT


async def person_of(
    connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller, kind: int, role: str
) -> Person | None:
    """One of them, by the number of their role in her structure, as a form sends it; None for anyone else, who is like
    nobody, and for someone with two accounts: whose would it be?"""
    found = [one for one in await people_of(connection, caller, kind) if str(one.role) == role]
    return found[0] if len(found) == 1 else None
