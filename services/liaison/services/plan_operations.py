"""`POST CarePlan/[id]/$move`, `$suspend`, `$resume` and `$end`: a plan that somebody follows (docs/api/plans.md).

`$move` without `confirm` writes nothing and tells what becomes of each step, with the word to confirm it by; with that word it
does it, unless something has changed since. Each works as the caller.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

import orjson

from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, Conflict, NotFound, Unprocessable
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import Definition
from liaison.fhir.store.contract import Answer, Request
from liaison.protocols import ending
from liaison.protocols.carry_out import UNASSIGNED
from liaison.protocols.ending import Changes, NotNow
from liaison.protocols.moving import Move
from liaison.services import following
from liaison.services.apply_operation import author_of, passed_on
from liaison.services.engine import Engine
from liaison.services.operation_definitions import END, MOVE, RESUME, SUSPEND
from liaison.services.pages.record import Record, Refused
from liaison.services.parameters import Given

Tree = dict[str, Any]
Act = Callable[[Record, Tree, list[Tree], Given, Tree, datetime], Awaitable[Changes]]


async def move_plan(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with what would be, 201 with the CarePlan that replaces the first. Raises Conflict where what was confirmed is not
    what would be done now, Unprocessable for a version that is not there."""
    given = Given(request, MOVE)
    record = Record(engine, caller, request.address, request.request_id)
    try:
        plan = await _plan(record, where)
        made = await following.proposed(record, plan, given.text("version"), record.now().date())
        if not given.has("confirm"):
            return Answer(200, orjson.dumps(_told(made)))
        author = author_of(engine, caller)
        replaced = await following.carry_through(record, made, given.text("confirm"), author, record.now())
    except following.NoSuchVersion as error:
        raise Unprocessable(f"{error}.", "Parameters.parameter.where(name='version')") from None
    except following.Changed:
        raise Conflict(
            "The plan is no longer what was confirmed: ask again without confirm, and look at it.",
            "Parameters.parameter.where(name='confirm')",
        ) from None
    except Refused as refused:
        raise passed_on(refused) from refused
    return Answer(201, orjson.dumps(replaced))


async def suspend_plan(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the CarePlan, on hold."""

    async def act(_: Record, plan: Tree, tasks: list[Tree], given: Given, by: Tree, at: datetime) -> Changes:
        return ending.suspend(plan, tasks, given.text("note"), by, at)

    return await _change(engine, caller, where, request, SUSPEND, act)


async def resume_plan(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the CarePlan, active again: it was suspended, or ended by mistake."""

    async def act(record: Record, plan: Tree, tasks: list[Tree], _: Given, by: Tree, at: datetime) -> Changes:
        return await following.resumed(record, plan, tasks, by, at)

    return await _change(engine, caller, where, request, RESUME, act)


async def end_plan(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the CarePlan, completed or revoked."""

    async def act(_: Record, plan: Tree, tasks: list[Tree], given: Given, by: Tree, at: datetime) -> Changes:
        on = date.fromisoformat(given.date("on")) if given.has("on") else at.date()
        return ending.end(plan, tasks, given.code("reason"), given.text("note"), on, by, at)

    return await _change(engine, caller, where, request, END, act)


async def _change(
    engine: Engine, caller: Caller, where: Route, request: Request, definition: Definition, act: Act
) -> Answer:
    given = Given(request, definition)
    record = Record(engine, caller, request.address, request.request_id)
    try:
        plan = await _plan(record, where)
        tasks = await following.steps_of(record, plan)
        by, now = author_of(engine, caller), record.now()
        changed = await following.write(record, await act(record, plan, tasks, given, by, now), by, now)
    except NotNow as error:
        raise Conflict(f"{error}.", "CarePlan.status") from None
    except ValueError as error:
        raise BadRequest(f"{error}.", "Parameters.parameter") from None
    except Refused as refused:
        raise passed_on(refused) from refused
    return Answer(200, orjson.dumps(changed))


async def _plan(record: Record, where: Route) -> Tree:
    plan = await record.read(f"CarePlan/{where.id_}")
    if plan is None:
        raise NotFound
    return plan


def _told(made: Move) -> Tree:
    """Each step in a part of its own: what becomes of it, when it was due and when it will be, who does it."""
    parts = [_step("kept", one.get("description", ""), task=one["id"]) for one in made.over]
    parts += [_step("unchanged", one.get("description", ""), task=one["id"]) for one in made.kept]
    for one in made.moved:
        what = "unchanged" if one.same else "moved"
        parts.append(_step(what, one.step.title, was=one.was, due=one.step.due, task=one.task["id"]))
    for step in made.added:
        owner = str((step.owner or {}).get("display") or (step.owner or {}).get("reference") or UNASSIGNED)
        parts.append(_step("added", step.title, due=step.due, owner=owner))
    parts += [_step("removed", one.get("description", ""), task=one["id"]) for one in made.dropped]
    named = [
        {"name": "from", "valueCanonical": "|".join(following.protocol_of(made.plan))},
        {"name": "to", "valueCanonical": made.proposal.canonical},
        {"name": "confirm", "valueString": made.confirm},
    ]
    return {"resourceType": "Parameters", "parameter": [*named, *parts]}


def _step(
    what: str, title: str, *, was: date | None = None, due: date | None = None, task: str = "", owner: str = ""
) -> Tree:
    parts: list[Tree] = [{"name": "becomes", "valueCode": what}, {"name": "title", "valueString": title or "-"}]
    parts += [
        {"name": name, "valueDate": day.isoformat()} for name, day in (("was", was), ("due", due)) if day is not None
    ]
    parts += [{"name": "task", "valueReference": {"reference": f"Task/{task}"}}] if task else []
    parts += [{"name": "owner", "valueString": owner}] if owner else []
    return {"name": "step", "part": parts}
