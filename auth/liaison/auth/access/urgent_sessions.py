"""Sessions of purpose ETREAT, beside the ordinary one: of an emergency access (rule 11) or a call (rule 12).

Each belongs to a task of the record, which is its family: they end with it, on every worker, at the next request.
"""

from datetime import timedelta
from typing import Final

from liaison.auth.access import internal, team_writing
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.sessions import BROWSER, Act, NoLongerHeld, caller_of_row, end_family, end_session, open_session
from liaison.fhir.errors import NotFound, Unauthorized
from liaison.fhir.model import read
from liaison.fhir.search import search
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree


async def begin(store: Store, caller: Caller, scope: str, lasting: timedelta, family: int | None = None) -> int:
    """The number of the new session, bounded by `scope`. Raises Unauthorized when the caller's own is over."""
    act = Act(
        principals=(caller.practitioner, caller.role),
        purpose=Purpose.ETREAT,
        role_code=caller.role_code,
        account=caller.account,
        client=caller.client,
        practitioner=caller.practitioner,
        role=caller.role,
        organization=caller.organization,
        proven=caller.proven,
    )
    async with store.database.writing.acquire() as connection:
        try:
            return await open_session(connection, act, scope, int(lasting.total_seconds()), family=family)
        except NoLongerHeld:
            raise Unauthorized("The session is over. Sign in again.") from None


async def belongs_to(store: Store, session: int, task: Key) -> None:
    """The session ends with this task from now on."""
    await store.database.writing.execute("update access_session set family = $2 where session = $1", session, task.res)


async def abandon(store: Store, session: int) -> None:
    async with store.database.writing.acquire() as connection:
        await end_session(connection, session)


async def end_all(store: Store, task: Key) -> None:
    async with store.database.writing.acquire() as connection:
        await end_family(connection, task.res)


async def task_of(store: Store, cell: Caller, caller: Caller, task: Key, system: str, code: str) -> Tree:
    """The dated task of this kind that the caller opened, in the role they act in. Raises NotFound for any other."""
    opened = await store.read(cell, task)
    if opened is None or opened.row.deleted:
        raise NotFound
    tree = read(opened.body)
    by = (tree.get("requester") or {}).get("reference")
    if by != team_writing.staff_reference(store, caller) or "restriction" not in tree:
        raise NotFound
    if code not in codes(tree.get("code"), system):
        raise NotFound
    return tree


_HELD: Final = """
    select session, purpose, only_patient, account, client, practitioner, role, organization, role_code, scope, family,
           acts_for, proven
    from access_session
    where account = $1 and role = $2 and role_code = $3 and scope = $4 and purpose = $5
      and family is not null and ended_at is null and expires_at > now()
    order by expires_at desc
"""


async def _of_our_pages(store: Store, caller: Caller) -> dict[int, Caller]:
    """By task, the live sessions that our pages opened for this person in this role."""
    rows = await store.database.reading.fetch(
        _HELD, caller.account, caller.role, caller.role_code, BROWSER, Purpose.ETREAT
    )
    found: dict[int, Caller] = {}
    for row in rows:
        found.setdefault(row["family"], caller_of_row(row))
    return found


async def resume(store: Store, caller: Caller, task: Key, system: str, code: str) -> tuple[Tree, Caller]:
    """The task of this kind that the caller opened, in this role, on our pages, and the caller of its live session.

    Raises NotFound for any other, and once it has ended.
    """
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await task_of(store, cell, caller, task, system, code)
    finally:
        await internal.close_session(store.database.writing, cell)
    held = (await _of_our_pages(store, caller)).get(task.res)
    if held is None:
        raise NotFound
    return tree, held


async def open_now(store: Store, caller: Caller, system: str, code: str, base_url: str) -> list[tuple[Tree, Caller]]:
    """All that `resume` would give, latest first."""
    held = await _of_our_pages(store, caller)
    if not held:
        return []
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        by = team_writing.staff_reference(store, caller)
        asked = f"requester={by}&code={system}|{code}&_sort=-authored-on&_count=50"
        answer = await search(store, cell, "Task", asked, base_url=base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    tasks = [entry["resource"] for entry in read(answer.body).get("entry") or ()]
    keys = [(tree, store.key("Task", tree["id"])) for tree in tasks]
    return [(tree, held[key.res]) for tree, key in keys if key is not None and key.res in held]
