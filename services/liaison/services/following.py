"""A plan that somebody follows: moved to another version of its protocol, suspended, resumed, ended.

Used by the coordinators' pages and by the operations on CarePlan, so that both do the same. All that changes is one transaction,
as the caller: what they may not write is not written, and then nothing is.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from liaison.auth.access import adopted
from liaison.protocols import codes, ending
from liaison.protocols.apply import propose
from liaison.protocols.carry_out import step_code
from liaison.protocols.days import named_day
from liaison.protocols.deaths import died
from liaison.protocols.ending import Changes
from liaison.protocols.following import closed, opened
from liaison.protocols.moving import Move, last_done, move, written
from liaison.protocols.regrouping import classes, regrouped
from liaison.protocols.workshops import step_of
from liaison.services import applying
from liaison.services.pages.changing import change
from liaison.services.pages.record import Record

Tree = dict[str, Any]


class NoSuchVersion(ValueError):
    """The plan follows no protocol that is in force here, or not in that version, or is there already and its steps are those of the
    person's class. The text says which."""


class Changed(Exception):
    """What was confirmed is not what would be done now."""


async def steps_of(record: Record, plan: Tree) -> list[Tree]:
    """The steps of the plan, those it has from the plan that it replaced among them, as far as the caller sees them."""
    patient = str(plan["subject"]["reference"])
    tasks = await record.search("Task", {"patient": patient, "code": f"{codes.STEP}|", "_count": "500"}, most=2000)
    named = set(activities(plan))
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


async def proposed(record: Record, plan: Tree, version: str, on: date) -> Move:
    """What would become of the plan in that version, the latest for ''; in the one that it follows, for somebody whose class has
    changed (liaison.protocols.regrouping). Raises NoSuchVersion."""
    library = await applying.library(record)
    url, follows = protocol_of(plan)
    found = library.find(f"{url}|{version}" if version else url) if url else None
    if found is None:
        raise NoSuchVersion(f"the protocol of this plan is not in force here in version {version or 'any'}")
    there = str(found.tree["version"]) == follows
    if plan.get("status") not in ("active", "on-hold") or (there and not classes(found.tree)):
        raise NoSuchVersion("the plan follows this version already, or is over")
    subject = str(plan["subject"]["reference"])
    tasks, seen, off = await asyncio.gather(
        steps_of(record, plan), applying.what_is_seen(record, subject), applying.undecided(record, found.tree)
    )
    # What another class asks for begins today; of another version it goes on from the first day of the plan.
    since = on if there else named_day(plan.get("period", {}).get("start"))
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
    if not there:
        return move(plan, tasks, proposal)
    made = regrouped(plan, tasks, proposal)
    if not made.added and not made.dropped:
        raise NoSuchVersion("the plan follows this version already, and its steps are those of this person's class")
    return made


async def of_another_class(record: Record, plan: Tree, on: date) -> bool:
    """Whether its person has come to another class than the steps of the plan are for, as far as the caller sees."""
    try:
        await proposed(record, plan, protocol_of(plan)[1], on)
    except NoSuchVersion:
        return False
    return True


async def carry_through(record: Record, made: Move, confirmed: str, author: Tree, at: datetime) -> Tree:
    """Moves the plan, and gives back the one that replaces it. Raises Changed unless this is what was `confirmed`; Refused."""
    if made.confirm != confirmed:
        raise Changed
    goals = await _goals(record, made.plan)
    bundle, changes = written(made, author, at, goals, await _to_name(record, made.plan.get("addresses", ())))
    changes += await _with_it(record, changes, author, at)
    own = await _its_own_goals(record, made.plan)
    changes += ending.dropped([one for one in own if one["description"].get("text", "") not in made.pursued], made.why)
    entries = [*bundle["entry"], *(change(before, after) for before, after in changes)]
    references = await record.transact({**bundle, "entry": entries})
    plan = await record.read(references[0])
    assert plan is not None, "the caller sees what they have just written"
    return plan


async def _to_name(record: Record, references: Sequence[Tree]) -> list[Tree]:
    """The references that whoever moves a plan may write: a coordinator does not see each diagnosis that it is for. Of the others the
    words stay, if there are any; the plan that is replaced has them whole."""
    seen = [one if await record.read(str(one.get("reference", ""))) else _in_words(one) for one in references]
    return [one for one in seen if one]


def _in_words(reference: Tree) -> Tree:
    return {name: value for name, value in reference.items() if name in ("display", "identifier")}


async def write(
    record: Record, changes: Changes, by: Tree, at: datetime, more: Sequence[tuple[Tree, Tree]] = ()
) -> Tree:
    """Writes what liaison.protocols.ending gave, the plan first, and gives back the plan. Raises Refused (412: someone was
    faster)."""
    entries = [change(before, after) for before, after in (*changes, *await _with_it(record, changes, by, at), *more)]
    await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    plan = await record.read(f"CarePlan/{changes[0][0]['id']}")
    assert plan is not None, "the caller sees what they have just written"
    return plan


async def resumed(record: Record, plan: Tree, tasks: Sequence[Tree], by: Tree, at: datetime) -> Changes:
    """What resumes a plan that is suspended, or takes one up again that was ended by mistake. Raises NotNow; also of somebody of whom
    the record says that they have died."""
    if not ending.ended_for(plan):
        return ending.resume(plan, tasks, by, at)
    patient = await record.read(str(plan["subject"]["reference"]))
    if patient is None or died(patient):
        raise ending.NotNow("the record says that this person has died: what says so is to be put right first")
    return ending.take_up(plan, tasks, by, at)


async def _with_it(record: Record, changes: Sequence[tuple[Tree, Tree]], by: Tree, at: datetime) -> Changes:
    """What goes the way of the plan and its steps: its RequestGroup, its goals where it ends or is taken up again, the requests of steps that are set aside or taken up again, and
    the places in sessions of those that are set aside. A place that was given up is not taken again by itself."""
    made: list[tuple[Tree, Tree | None]] = []
    for before, after in changes:
        if before["resourceType"] == "CarePlan":
            groups = [one for one in activities(before) if one.startswith("RequestGroup/")]
            if before["status"] != after["status"]:
                made += [
                    (tree, {**tree, "status": after["status"]})
                    for one in groups
                    if (tree := await record.read(one)) and tree["status"] in (before["status"], "active", "on-hold")
                ]
            if ending.ended_for(before) != ending.ended_for(after):
                made += ending.goals(after, await _its_own_goals(record, before))
        elif (aside := after["status"] == "cancelled") or before["status"] == "cancelled":
            focus = str(before.get("focus", {}).get("reference", ""))
            if tree := await record.read(focus):
                made.append((tree, closed(tree, after["statusReason"], by, at) if aside else opened(tree)))
    reason = {
        f"Task/{before['id']}": after["statusReason"] for before, after in changes if after["status"] == "cancelled"
    }
    for place in await _places(record, list(reason), at):
        made.append((place, closed(place, reason.get(step_of(place)) or next(iter(reason.values())), by, at)))
    return [(before, after) for before, after in made if after is not None]


async def _places(record: Record, steps: Sequence[str], at: datetime) -> list[Tree]:
    """In sessions to come that these steps are for: of one that was held, somebody may still say who came."""
    if not steps:
        return []
    query = {
        "supporting-info": ",".join(steps),
        "status": "proposed,pending,booked",
        "date": f"ge{at.date()}",
        "_count": "200",
    }
    return await record.found("Appointment", query)


def activities(plan: Tree) -> list[str]:
    """The references of what the plan consists of."""
    named = (str(one.get("reference", {}).get("reference", "")) for one in plan.get("activity", ()))
    return [one for one in named if one]


async def _its_own_goals(record: Record, plan: Tree) -> list[Tree]:
    """Those that no other plan in force or suspended pursues; none for whom the table lets write no goal, such as the manager of a
    home service, whose plans have none."""
    types = (await adopted.in_force(record.engine.store.database)).types_for(record.caller.role_code)
    named = [str(one.get("reference", "")) for one in plan.get("goal", ())]
    if not named or (types and "Goal" not in types):
        return []
    others = {"goal": ",".join(named), "status": "active,on-hold", "patient": str(plan["subject"]["reference"])}
    elsewhere = {
        str(goal.get("reference", ""))
        for one in await record.search("CarePlan", others)
        if one["id"] != plan["id"]
        for goal in one.get("goal", ())
    }
    read = [await record.read(one) for one in named if one not in elsewhere]
    return [one for one in read if one is not None]


async def _goals(record: Record, plan: Tree) -> dict[str, str]:
    """'Goal/id' by its words, of the goals of the plan that the caller sees."""
    named = {str(one.get("reference", "")) for one in plan.get("goal", ())}
    found = await record.search("Goal", {"patient": str(plan["subject"]["reference"]), "_count": "100"})
    return {
        str(one["description"].get("text", "")): f"Goal/{one['id']}" for one in found if f"Goal/{one['id']}" in named
    }
