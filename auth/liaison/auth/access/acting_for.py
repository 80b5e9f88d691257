"""Who comes on a team when a caller does: themselves; or, of who acts for another, the professional acted for.

Who acts for another is no member of a team (L.1110-12): what they see is what the professional has, within both their dates
(rows 8, 9, 10b). So whom they receive is received for that professional, and stays theirs when a substitution ends.
"""

from dataclasses import replace

from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.fhir.errors import Forbidden
from liaison.fhir.store import Store


async def member_of(store: Store, caller: Caller) -> Caller:
    """The caller as the member of a team: who acts for nobody, themselves. Of several whom a person acts for, the one of the
    role they work in now. Raises Forbidden where the professional acted for has no health role in force."""
    if caller.role_code not in ROLES or ROLES[caller.role_code].category != "delegate":
        return caller
    found = await store.database.reading.fetchrow(_ACTED_FOR, caller.role, caller.role_code)
    if found is None or ROLES[found["role_code"]].category != "health":
        raise Forbidden(
            "The professional you act for has no role in force: nobody can join the team, or be received, in their name."
        )
    return replace(caller, **dict(found))


_ACTED_FOR = """
    select o.role, o.practitioner, o.organization, o.role_code
    from held_role h join held_role o on h.acts_for in (o.role, o.practitioner)
        and o.active and o.valid_from <= now() and o.valid_to > now()
    where h.role = $1 and h.role_code = $2
    order by o.role = h.acts_for desc, o.role limit 1
"""
