"""A regulating doctor takes a call that a handler received under their responsibility (rule 12; CSP R.6315-3).

The handler has identified the person and named the doctor in the call's task: the doctor starts from that task, which is
theirs to take while it is open, and from no other. Their own call is part of it and ends no later.
"""

from datetime import datetime, timedelta

from liaison.auth.access import internal, team_writing, urgent_sessions
from liaison.auth.access.calls import DOCTOR, KIND, Opened, StatedCall, record_call
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.join import found_by
from liaison.auth.access.one_person import opposed_in_any, record_of
from liaison.auth.caller import Caller
from liaison.fhir.errors import NotFound
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree


async def handed_to(store: Store, caller: Caller, base_url: str) -> list[Tree]:
    """The open calls that a handler received under this regulating doctor's responsibility, latest first. One that they have
    taken and ended is dealt with, though the handler may still be speaking: it is no longer among them."""
    if caller.role_code != DOCTOR or not caller.role:
        return []
    by = team_writing.staff_reference(store, caller)
    query = f"Task?owner={by}&code={KIND[0]}|{KIND[1]}&status=in-progress,completed&_sort=-authored-on&_count=100"
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        now = await store.database.now()
        found = await found_by(store, cell, query, base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    own = [tree for tree in found if (tree.get("requester") or {}).get("reference") == by]
    dealt_with = {
        part.get("reference") for tree in own if tree["status"] == "completed" for part in tree.get("partOf", ())
    }
    return [tree for tree in found if _handed(store, caller, tree, now) and f"Task/{tree['id']}" not in dealt_with]


async def take_call(store: Store, caller: Caller, task: Key, base_url: str, *, scope: str) -> Opened:
    """The regulating doctor named in a handler's open call takes it: a call of their own about the same person, which is
    part of that one and ends at the same time at the latest.

    Raises NotFound for anyone else, once the call is over, and where the person objects to emergency access.
    """
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        seen = await store.read(cell, task)
        tree, start = read(seen.body) if seen is not None and not seen.row.deleted else {}, await store.database.now()
        if caller.role_code != DOCTOR or not caller.role or not _handed(store, caller, tree, start):
            raise NotFound
        known = await record_of(store, cell, str(tree["for"]["reference"]))
        if await opposed_in_any(store, caller, cell, [known], base_url, emergency=True):
            raise NotFound
        until = datetime.fromisoformat(tree["restriction"]["period"]["end"])
        session = await urgent_sessions.begin(store, caller, scope, until - start)
        by = team_writing.staff_reference(store, caller)
        subject, reason = str(tree["for"]["reference"]), str(tree["reasonCode"]["text"])
        call = StatedCall(subject, reason, by, start, until, part_of=f"Task/{tree['id']}")
        try:
            own = await record_call(store, caller, cell, call, base_url)
        except BaseException:
            await urgent_sessions.abandon(store, session)
            raise
    finally:
        await internal.close_session(store.database.writing, cell)
    await urgent_sessions.belongs_to(store, session, own)
    return Opened(subject, store.reference(own), until, session)


def _handed(store: Store, caller: Caller, tree: Tree, now: datetime) -> bool:
    """Whether this is an open call that somebody else received under the caller's responsibility."""
    by = team_writing.staff_reference(store, caller)
    if KIND[1] not in codes(tree.get("code"), KIND[0]) or tree.get("status") != "in-progress":
        return False
    if (tree.get("owner") or {}).get("reference") != by or (tree.get("requester") or {}).get("reference") == by:
        return False
    end = ((tree.get("restriction") or {}).get("period") or {}).get("end")
    return bool(end) and datetime.fromisoformat(str(end)) > now + timedelta(seconds=1)
