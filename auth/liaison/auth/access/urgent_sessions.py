"""Sessions of purpose ETREAT, beside the ordinary one: of an emergency access (rule 11) or a call (rule 12).

Each belongs to a task of the record, which is its family: they end with it, on every worker, at the next request.
"""

from datetime import timedelta

from liaison.auth.access import team_writing
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.sessions import Act, NoLongerHeld, end_family, end_session, open_session
from liaison.fhir.errors import NotFound, Unauthorized
from liaison.fhir.model import read
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
