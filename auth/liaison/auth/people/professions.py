"""Who may stand in a professional's place: a colleague or a student of the same profession (R.4127-65, L.4131-2 CSP).

What the directory knows decides: the qualifications of the Practitioner; failing any, the health roles that they hold in their
own name, suspended ones left out. A role in one's own name that contradicts the qualifications is refused: it is no proof.
Somebody whose profession is not known holds a role in someone's place without any right, and cannot sign in with it, until it
is known: it *awaits*, as every role does of whom the directory has put aside. Somebody known with another profession only is
refused the role.

The specialty is not compared: which doctor may replace which is for the Order.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.roles import ROLES, profession_codes, profession_of, qualified_professions
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.store.contract import Change

IN_PLACE: Final = frozenset({"substitute", "trainee"})
"""Roles that see what the one they act for sees, because they do that one's work. A secretary does not."""
_PRACTITIONER: Final = kind_of("Practitioner")
_ORGANIZATION: Final = kind_of("Organization")
_ROLE: Final = kind_of("PractitionerRole")
_OWN: Final = sorted(code for code, role in ROLES.items() if role.category == "health")


class OtherProfession(Unprocessable):
    """`known`: what the directory knows the person as; `needed`: what they would have to be. `in_place`: of someone else."""

    def __init__(self, known: Collection[str], needed: Collection[str], *, in_place: bool = True) -> None:
        self.known, self.needed, self.in_place = frozenset(known), frozenset(needed), in_place
        rule = (
            "Whoever acts in a professional's place is of the same profession"
            if in_place
            else "A role in one's own name is of one's own profession"
        )
        super().__init__(
            f"{rule} ({', '.join(sorted(needed))}): the directory knows this person as {', '.join(sorted(known))}."
            " Practitioner.qualification states another one.",
            "PractitionerRole.practitioner",
        )


class Known(NamedTuple):
    """What is known of somebody: `now` opens rights; `ever` also holds what suspended roles say, which opens none."""

    now: frozenset[str] = frozenset()
    ever: frozenset[str] = frozenset()


def states(change: Change) -> bool:
    """Whether the change is of somebody whose qualifications say something, or said so."""
    return change.key.kind == _PRACTITIONER and any(
        tree and tree.get("qualification") for tree in (change.tree, change.before)
    )


async def derive(connection: asyncpg.Connection, changes: Iterable[Change]) -> None:
    """Brings the rows in line with the Practitioners among the changes."""
    for change in changes:
        if change.key.kind == _PRACTITIONER:
            found = qualified_professions(change.tree) if change.tree is not None else frozenset()
            await connection.execute("delete from known_profession where practitioner = $1", change.key.res)
            await connection.executemany(
                "insert into known_profession (practitioner, profession) values ($1, $2)",
                [(change.key.res, one) for one in sorted(found)],
            )


async def settle(connection: asyncpg.Connection, principals: Collection[int]) -> list[int]:
    """Opens or closes the roles that these people, roles, structures, and those acted for, have to do with: those of whom the
    directory has put aside, and those in someone's place. The roles that changed."""
    rows = await connection.fetch(_WAITING_OR_NOT, sorted(principals), sorted(IN_PLACE), _PRACTITIONER, _ORGANIZATION)
    changed = []
    for role, code, practitioner, acts_for, active, _awaits, aside in rows:
        fits = not aside and (code not in IN_PLACE or await _fits(connection, practitioner, acts_for))
        if fits == active:
            continue
        await connection.execute(
            "update held_role set active = $3 where role = $1 and role_code = $2", role, code, fits
        )
        await connection.execute(
            "delete from awaiting_role where role = $1 and role_code = $2"
            if fits
            else "insert into awaiting_role (role, role_code) values ($1, $2) on conflict do nothing",
            role,
            code,
        )
        changed.append(role)
    return changed


# Of what is stated as active.
_WAITING_OR_NOT: Final = """
    select * from (
        select h.role, h.role_code, h.practitioner, h.acts_for, h.active, a.role is not null as awaits, exists (
            select from put_aside p where (p.kind, p.res) in (($3, h.practitioner), ($4, h.organization))) as aside
        from held_role h left join awaiting_role a using (role, role_code)
        where (h.active or a.role is not null)
          and (h.role = any($1) or h.practitioner = any($1) or h.organization = any($1) or h.acts_for = any($1::bigint[]))
    ) stated where role_code = any($2) or awaits or aside
"""


async def _fits(connection: asyncpg.Connection, practitioner: int, acts_for: int) -> bool:
    needed = await of_the_replaced(connection, acts_for)
    return bool(needed) and needed <= (await known(connection, practitioner)).now


async def settle_all(connection: asyncpg.Connection) -> None:
    """For a base that was put together from a backup and what came after it."""
    rows = await connection.fetch("select role from held_role")
    await settle(connection, [row[0] for row in rows])


async def of_the_replaced(connection: "asyncpg.Connection | asyncpg.Pool", acts_for: int) -> frozenset[str]:
    """The professions of a PractitionerRole, or of the active ones of a Practitioner, all of which whoever acts in their
    place has to have; empty when nobody is known there."""
    rows = await connection.fetch(
        "select distinct role_code from held_role where role = $1 or (practitioner = $1 and active)", acts_for
    )
    return frozenset(profession_of(row[0]) for row in rows) - {""}


async def known(connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int) -> Known:
    if qualified := await _qualified(connection, practitioner):
        return Known(qualified, qualified)
    held = await connection.fetch(
        "select role_code, active from held_role where practitioner = $1 and role_code = any($2)", practitioner, _OWN
    )
    now = frozenset(profession_of(code) for code, active in held if active)
    # Roles of two professions prove neither: somebody has given one of them without looking.
    return Known(now if len(now) == 1 else frozenset(), frozenset(profession_of(code) for code, _ in held))


async def _qualified(connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int) -> frozenset[str]:
    rows = await connection.fetch("select profession from known_profession where practitioner = $1", practitioner)
    return frozenset(row[0] for row in rows)


async def check_own(
    connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int, code: str, beside: Collection[int] = ()
) -> None:
    """Raises OtherProfession for a role in one's own name that contradicts one's qualifications, or failing any one's other
    roles in force, save those `beside` it. A profession without a code in TRE_G15 is contradicted by none."""
    needed = profession_of(code)
    if not profession_codes(needed):
        return
    known_as = await _qualified(connection, practitioner) or await _roles_of(connection, practitioner, beside)
    if known_as and needed not in known_as:
        raise OtherProfession(known_as, {needed}, in_place=False)


async def _roles_of(
    connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int, beside: Collection[int]
) -> frozenset[str]:
    rows = await connection.fetch(
        "select role_code from held_role where practitioner = $1 and role_code = any($2) and active and valid_to > now()"
        " and role <> all($3::bigint[])",
        practitioner,
        _OWN,
        list(beside),
    )
    return frozenset(profession_of(row[0]) for row in rows)


async def check(connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int, acts_for: int) -> bool:
    """Whether this person may act in that place now; False while their profession is not known. Raises OtherProfession."""
    needed, person = await of_the_replaced(connection, acts_for), await known(connection, practitioner)
    if needed and person.ever and not needed <= person.ever:
        raise OtherProfession(person.ever, needed)
    return bool(needed) and needed <= person.now


async def refuse_others(connection: asyncpg.Connection, changes: Sequence[Change]) -> None:
    """After what was written has settled. Raises OtherProfession for a role among the changes that the directory does not
    believe: written by whomever, it opens nothing, and is not kept either."""
    roles = [change.key.res for change in changes if change.key.kind == _ROLE and change.tree is not None]
    rows = await connection.fetch(
        "select h.practitioner, h.acts_for from held_role h join awaiting_role a using (role, role_code)"
        " where h.role = any($1::bigint[])",
        roles,
    )
    for practitioner, acts_for in rows:
        await check(connection, practitioner, acts_for)
    own = await connection.fetch(
        "select practitioner, role_code from held_role"
        " where active and valid_to > now() and role = any($1::bigint[]) and role_code = any($2)",
        roles,
        _OWN,
    )
    for practitioner, code in own:
        await check_own(connection, practitioner, code, roles)


async def awaited(connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int) -> frozenset[str]:
    """The professions that would have to be known of this person for roles that await them."""
    rows = await connection.fetch(
        "select distinct h.acts_for from held_role h join awaiting_role a using (role, role_code)"
        " where h.practitioner = $1 and h.valid_to > now()",
        practitioner,
    )
    needed = [await of_the_replaced(connection, row[0]) for row in rows]
    return frozenset(one for some in needed for one in some)
