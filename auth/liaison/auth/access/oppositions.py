"""« La personne s'oppose »: to all sharing, to one person or structure, or to emergency access. In force at once.

Anyone on the staff who sees the record may record it, the aide included. Until a health or social professional confirms,
it stands as a provisional restriction (Consent.status `proposed`), which never lapses by itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from liaison.auth.access import internal, team_writing
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key

_CONFIRMING: Final = frozenset({"health", "psychologist", "social", "coordination", "person"})
_NOT_CONFIRMING: Final = frozenset({"home-aide"})


@dataclass(frozen=True, slots=True)
class Opposition:
    """`against` is the reference of a person or structure, '' for all sharing. `emergency`: to emergency access only."""

    against: str = ""
    emergency: bool = False
    means: str = "oral"


async def oppose(store: Store, caller: Caller, patient: Key, stated: Opposition, base_url: str) -> str:
    """Writes the Consent and gives its reference. Raises NotFound when the caller does not see the patient."""
    seen = await store.read(caller, patient)
    if seen is None or seen.row.deleted:
        raise NotFound
    if stated.means not in ("oral", "paper", "digital"):
        raise BadRequest("The means are oral, paper or digital.", "Parameters.parameter")
    role, now = ROLES.get(caller.role_code), datetime.now(UTC)
    confirmed = role is not None and role.category in _CONFIRMING and role.code not in _NOT_CONFIRMING
    provision: dict[str, object] = {"type": "deny"}
    if stated.against:
        provision["actor"] = [team_writing.actor(stated.against)]
    if stated.emergency:
        provision["purpose"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "ETREAT"}]
    by = team_writing.staff_reference(store, caller)
    tree = team_writing.consent(
        store.reference(patient),
        "emergency-objection" if stated.emergency else "opposition",
        by if role is not None and role.category != "person" else store.reference(patient),
        now,
        stated.means,
        provision,
        "active" if confirmed else "proposed",
    )
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        write = Write("create", "Consent", checked(tree, "Consent"))
        await commit(store, cell, [write], base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    assert write.key is not None
    return store.reference(write.key)


# Denials of some classes only leave the rest open: they do not count here.
_OPPOSED: Final = """
    with recursive structures as (
        select $3::bigint as organization
        union select p.part_of from organization_part p join structures s on p.organization = s.organization
        where p.part_of <> 0
    )
    select exists (
        select from relation
        where patient = $1 and valid_from <= now() and valid_to > now()
          and coalesce(jsonb_array_length(detail->'classes'), 0) = 0
          and ((relation = any($4::smallint[]) and (principal = any($2::bigint[])
                or principal in (select organization from structures where organization <> 0)))
               or (relation = $5 and principal = 0))
    )
"""


async def opposed_to(store: Store, caller: Caller, patient: int, *, emergency: bool = False) -> bool:
    """Whether the person opposes this caller or their structure, or everyone; with `emergency`: emergency access.

    A general opposition to sharing is not the express objection that emergency access stops at (L.1111-17 I).
    """
    return bool(
        await store.database.reading.fetchval(
            _OPPOSED,
            patient,
            [number for number in (caller.practitioner, caller.role) if number],
            caller.organization,
            [Relation.DENY, Relation.EMERGENCY_OBJECTION] if emergency else [Relation.DENY],
            Relation.EMERGENCY_OBJECTION if emergency else Relation.DENY,
        )
    )
