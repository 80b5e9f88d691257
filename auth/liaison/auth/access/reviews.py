"""The review of an emergency access, an entry into a team, a withdrawn opposition or a declared attending doctor, by an
auditor or data protection officer (row 24).

The reviewer is never the one who acted, who does not even see it (`Filter.besides_own`), and « Non justifié » and « Signalé » are said by two (second_reading). The review is written into the task of the review list through the identity
cell: nobody else writes there. It changes no right: an access that is still open ends at its time, or by its holder.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.access import internal, team_writing, vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.roles import OFFICERS
from liaison.auth.access.second_reading import NEEDS_TWO, following
from liaison.auth.caller import Caller
from liaison.auth.journal import audit_rights
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, Forbidden, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

REVIEWED: Final = frozenset({"emergency-access", "join", "withdrawal", "attending-doctor"})
"""Not duplicates and merges: whoever keeps identities decides them (duplicates), and they say nothing of an access."""
OUTCOMES: Final = {
    "justified": "Justifié",
    "to-clarify": "À éclaircir",
    "unjustified": "Non justifié",
    "reported": "Signalé",
}
MOST_LETTERS: Final = 2_000


def permit(caller: Caller) -> None:
    """Raises Forbidden for whoever reviews nothing: before any task is looked at, so that it tells of none."""
    if caller.role_code not in OFFICERS or not caller.practitioner:
        raise Forbidden("Accesses are reviewed by an auditor or the data protection officer.")


async def review(
    store: Store, caller: Caller, task: Key, outcome: str, note: str, base_url: str, *, if_match: str = ""
) -> Tree:
    """The task as it is afterwards. Raises NotFound for what the caller does not see, is not of their organisation (the actor, or
    the record) without the mandate, or is not reviewed here, Forbidden
    for another role or a second word of the same reader, Conflict once it is settled, PreconditionFailed when `if_match` is older."""
    permit(caller)
    seen = await store.read(caller, task)
    if seen is None or seen.row.deleted:
        raise NotFound
    tree = read(seen.body)
    if tree.get("resourceType") != "Task" or not REVIEWED & set(codes(tree.get("code"), vocabulary.REVIEW)):
        raise NotFound
    actor = await actor_of(store.database.reading, store.key, tree)
    if await audit_rights.of_theirs(store.database.reading, caller.session, [(task.patient, actor.organization)]) != [
        True
    ]:
        raise NotFound
    if outcome not in OUTCOMES:
        raise BadRequest(f"outcome is one of {', '.join(OUTCOMES)}.", "Parameters.parameter.where(name='outcome')")
    if len(note) > MOST_LETTERS or not note.strip():
        raise BadRequest(
            f"Say why in a note of at most {MOST_LETTERS} letters.", "Parameters.parameter.where(name='note')"
        )
    if tree["status"] == "completed":
        raise Conflict("This access has been reviewed.")
    before = next(iter(codes(tree.get("businessStatus"), vocabulary.REVIEW)), "")
    first = await person_behind(store, (tree.get("owner") or {}).get("reference"))
    state = following(outcome, caller.practitioner, before, first)
    by, now = team_writing.staff_reference(store, caller), (await store.database.now()).isoformat(timespec="seconds")
    # R4 lets a person sign an annotation, not a role.
    signed = {"reference": store.reference(Key(0, kind_of("Practitioner"), caller.practitioner))}
    said = {"authorReference": signed, "time": now, "text": note.strip()}
    reviewed = {
        **tree,
        "status": state,
        "businessStatus": {
            "coding": [{"system": vocabulary.REVIEW, "code": outcome, "display": OUTCOMES[outcome]}],
        },
        "owner": {"reference": by},
        "lastModified": now,
        "note": [*(tree.get("note") or ()), said],
    }
    # Since when somebody has known: of the first of the words, without another between them, that need a second reader.
    reviewed.pop("executionPeriod", None)
    if outcome in NEEDS_TWO:
        known = (tree.get("executionPeriod") or {}).get("start")
        if not known and before in NEEDS_TWO:  # a word of before this was kept
            known = (tree.get("note") or [{}])[-1].get("time")
        reviewed["executionPeriod"] = {"start": known or now}
    headers = {"if-match": if_match} if if_match else {"if-match": f'W/"{seen.row.version}"'}
    write = Write("update", "Task", checked(reviewed, "Task"), id_=store.id(task), headers=headers)
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        await commit(store, cell, [write], base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    assert write.change is not None
    return read(write.change.body)


class Actor(NamedTuple):
    """Who acted, as numbers of the directory; 0 for what is not known."""

    practitioner: int = 0
    role: int = 0
    organization: int = 0


async def actor_of(
    base: asyncpg.Connection | asyncpg.Pool, decode: Callable[[str, str], Key | None], task: Mapping[str, Any]
) -> Actor:
    """Who acted, by the `requester` of a task of the review list."""
    type_, _, id_ = str((task.get("requester") or {}).get("reference", "")).partition("/")
    key = decode(type_, id_) if type_ in ("Practitioner", "PractitionerRole") else None
    if key is None:
        return Actor()
    found = await base.fetchrow(
        "select practitioner, role, organization from held_role where role = $1 or practitioner = $1"
        " order by role = $1 desc, role limit 1",
        key.res,
    )
    return Actor(*found) if found else Actor(key.res if type_ == "Practitioner" else 0)


async def person_behind(store: Store, reference: object) -> int:
    """The practitioner behind a Practitioner or PractitionerRole; 0 for anyone else."""
    type_, _, id_ = str(reference).partition("/")
    key = store.key(type_, id_) if type_ in ("Practitioner", "PractitionerRole") else None
    if key is None:
        return 0
    if key.kind == kind_of("Practitioner"):
        return key.res
    found = await store.database.reading.fetchval("select practitioner from held_role where role = $1 limit 1", key.res)
    return int(found or 0)
