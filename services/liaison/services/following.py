"""A plan that somebody follows: moved to another version of its protocol, suspended, resumed, ended.

Used by the coordinators' pages and by the operations on CarePlan, so that both do the same. All that changes is one transaction,
as the caller: what they may not write is not written, and then nothing is.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from liaison.protocols import codes
from liaison.protocols.apply import propose
from liaison.protocols.carry_out import step_code
from liaison.protocols.days import named_day
from liaison.protocols.library import Library
from liaison.protocols.moving import Move, last_done, move, written
from liaison.services import applying
from liaison.services.pages.changing import change
from liaison.services.pages.record import Record

Tree = dict[str, Any]


class NoSuchVersion(ValueError):
    """The plan follows no protocol that is in force here, or not in that version, or is there already. The text says which."""


class Changed(Exception):
    """What was confirmed is not what would be done now."""


async def steps_of(record: Record, plan: Tree) -> list[Tree]:
    """The steps of the plan, those it has from the plan that it replaced among them, as far as the caller sees them."""
    patient = str(plan["subject"]["reference"])
    tasks = await record.search("Task", {"patient": patient, "code": f"{codes.STEP}|", "_count": "500"}, most=2000)
    named = {str(one.get("reference", {}).get("reference", "")) for one in plan.get("activity", ())}
    mine = f"CarePlan/{plan['id']}"
    return [
        task
        for task in tasks
        if step_code(task)
        and task.get("status") != "entered-in-error"
        and (f"Task/{task['id']}" in named or any(one.get("reference") == mine for one in task.get("basedOn", ())))
    ]


def protocol_of(plan: Tree) -> tuple[str, str]:
    """(url, version) of the protocol that a plan follows; '' for a plan that follows none."""
    for one in plan.get("instantiatesCanonical") or ():
        url, _bar, version = str(one).partition("|")
        return url, version
    return "", ""


def newer(library: Library, plan: Tree) -> str:
    """The version of its protocol that the plan could be moved to, '' for none."""
    url, version = protocol_of(plan)
    latest = library.find(url) if url else None
    return str(latest.tree["version"]) if latest is not None and latest.tree["version"] != version else ""


async def proposed(record: Record, plan: Tree, version: str, on: date) -> Move:
    """What would become of the plan in that version, the latest for ''. Raises NoSuchVersion."""
    library = await applying.library(record)
    url, follows = protocol_of(plan)
    found = library.find(f"{url}|{version}" if version else url) if url else None
    if found is None:
        raise NoSuchVersion(f"the protocol of this plan is not in force here in version {version or 'any'}")
    if str(found.tree["version"]) == follows or plan.get("status") not in ("active", "on-hold"):
        raise NoSuchVersion("the plan follows this version already, or is over")
    subject = str(plan["subject"]["reference"])
    tasks, seen, off = await asyncio.gather(
        steps_of(record, plan), applying.what_is_seen(record, subject), applying.undecided(record, found.tree)
    )
    since = named_day(plan.get("period", {}).get("start"))
    proposal = propose(
        library,
        found.canonical,
        subject,
        seen,
        on,
        since=since,
        done=last_done(tasks),
        undecided=off,
    )
    return move(plan, tasks, proposal)


async def carry_through(record: Record, made: Move, confirmed: str, author: Tree, at: datetime) -> Tree:
    """Moves the plan, and gives back the one that replaces it. Raises Changed unless this is what was `confirmed`; Refused."""
    if made.confirm != confirmed:
        raise Changed
    goals = await _goals(record, made.plan)
    bundle, changes = written(made, author, at, goals)
    changes += await _with_it(record, changes)
    entries = [*bundle["entry"], *(change(before, after) for before, after in changes)]
    references = await record.transact({**bundle, "entry": entries})
    plan = await record.read(references[0])
    assert plan is not None, "the caller sees what they have just written"
    return plan


async def write(record: Record, changes: Sequence[tuple[Tree, Tree]]) -> Tree:
    """Writes what liaison.protocols.ending gave, the plan first, and gives back the plan. Raises Refused (412: someone was
    faster)."""
    entries = [change(before, after) for before, after in (*changes, *await _with_it(record, changes))]
    await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    plan = await record.read(f"CarePlan/{changes[0][0]['id']}")
    assert plan is not None, "the caller sees what they have just written"
    return plan


async def _with_it(record: Record, changes: Sequence[tuple[Tree, Tree]]) -> list[tuple[Tree, Tree]]:
    """What goes the way of the plan and its steps: its RequestGroup, and the requests of steps that are set aside."""
    wanted: dict[str, str] = {}
    for before, after in changes:
        if before["resourceType"] == "CarePlan" and before["status"] != after["status"]:
            named = (str(one.get("reference", {}).get("reference", "")) for one in before.get("activity", ()))
            wanted |= {one: after["status"] for one in named if one.startswith("RequestGroup/")}
        elif after["status"] == "cancelled" and (focus := str(before.get("focus", {}).get("reference", ""))):
            wanted[focus] = "cancelled" if focus.startswith("Appointment/") else "revoked"
    found = [(await record.read(reference), status) for reference, status in wanted.items()]
    over = ("completed", "revoked", "cancelled", "fulfilled", "noshow", "entered-in-error")
    return [
        (tree, {**tree, "status": status}) for tree, status in found if tree is not None and tree["status"] not in over
    ]


async def _goals(record: Record, plan: Tree) -> dict[str, str]:
    """'Goal/id' by its words, of the goals of the plan that the caller sees."""
    named = {str(one.get("reference", "")) for one in plan.get("goal", ())}
    found = await record.search("Goal", {"patient": str(plan["subject"]["reference"]), "_count": "100"})
    return {
        str(one["description"].get("text", "")): f"Goal/{one['id']}" for one in found if f"Goal/{one['id']}" in named
    }
