"""« À éclaircir »: what a reviewer asks of whoever acted, and the answer. Both stand in the notes of the review's task.

Whoever acted no longer sees the record, and never sees the review list. Through the identity cell they learn of their
own accesses alone, and of those only what is asked: which access, why they said they needed it, and what was written
since. The answer is another note; the outcome stays the reviewer's to change.
"""

from collections.abc import Mapping
from typing import Any, Final

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.join import found_by
from liaison.auth.access.reviews import MOST_LETTERS, REVIEWED, person_behind
from liaison.auth.access.second_reading import UNSETTLED
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

_ROLES: Final = "select distinct role from held_role where practitioner = $1"
_MOST: Final = 50


async def asked_of(store: Store, caller: Caller, base_url: str) -> list[Tree]:
    """The tasks of the caller's own accesses that a reviewer wants clarified, in whatever role they acted, latest first."""
    if not caller.practitioner or not caller.role:
        return []
    roles = await store.database.reading.fetch(_ROLES, caller.practitioner)
    acted = [_reference(store, "Practitioner", caller.practitioner)]
    acted += [_reference(store, "PractitionerRole", row["role"]) for row in roles]
    wanted = ",".join(f"{vocabulary.REVIEW}|{kind}" for kind in sorted(REVIEWED))
    query = f"requester={','.join(acted)}&code={wanted}&status=on-hold&_sort=-authored-on&_count={_MOST}"
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tasks = await found_by(store, cell, f"Task?{query}", base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    return [tree for tree in tasks if _asks(tree) and await _acted(store, caller, tree)]


async def is_answered(store: Store, task: Mapping[str, Any]) -> bool:
    """Whether the last word is that of whoever acted."""
    notes = task.get("note") or ()
    last = (notes[-1].get("authorReference") or {}).get("reference") if notes else None
    acted = await person_behind(store, (task.get("requester") or {}).get("reference"))
    return bool(acted) and await person_behind(store, last) == acted


async def answer(store: Store, caller: Caller, task: Key, text: str, base_url: str) -> Tree:
    """The task with the answer. Raises NotFound unless the caller acted and something is asked, BadRequest without words,
    PreconditionFailed when the reviewer was faster."""
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        seen = await store.read(cell, task)
        tree = read(seen.body) if seen is not None and not seen.row.deleted else {}
        if seen is None or not _asks(tree) or not await _acted(store, caller, tree):
            raise NotFound
        if not text.strip() or len(text) > MOST_LETTERS:
            raise BadRequest(
                f"Write an answer of at most {MOST_LETTERS} letters.", "Parameters.parameter.where(name='answer')"
            )
        now = (await store.database.now()).isoformat(timespec="seconds")
        signed = {"reference": _reference(store, "Practitioner", caller.practitioner)}
        note = {"authorReference": signed, "time": now, "text": text.strip()}
        answered = {**tree, "lastModified": now, "note": [*(tree.get("note") or ()), note]}
        headers = {"if-match": f'W/"{seen.row.version}"'}
        write = Write("update", "Task", checked(answered, "Task"), id_=store.id(task), headers=headers)
        await commit(store, cell, [write], base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    assert write.change is not None
    return read(write.change.body)


def _asks(tree: Mapping[str, Any]) -> bool:
    reviewed = tree.get("resourceType") == "Task" and REVIEWED & set(codes(tree.get("code"), vocabulary.REVIEW))
    outcome = codes(tree.get("businessStatus"), vocabulary.REVIEW)
    return bool(reviewed) and tree.get("status") == "on-hold" and UNSETTLED in outcome


async def _acted(store: Store, caller: Caller, tree: Mapping[str, Any]) -> bool:
    """Whether the caller, in a role they hold, is the person who acted."""
    acted = await person_behind(store, (tree.get("requester") or {}).get("reference"))
    return bool(caller.role and caller.practitioner) and acted == caller.practitioner


def _reference(store: Store, type_: str, res: int) -> str:
    return f"{type_}/{store.id(Key(0, kind_of(type_), res))}"
