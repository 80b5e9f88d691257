"""From one version of a protocol to another: what becomes of one person's plan, told first, then as one transaction.

What was done, or set aside, stays as it is. A step to come is dated anew and is of the new version; one that the new version does
not have is set aside, and what it adds is added. A step whose action the new version has, but which would not apply today by what
the caller sees of the record, stays on its day: whoever moves a plan may see less than whoever applied it. The old plan stays, revoked, and the new one says which it replaces.
Pure: trees in, trees out.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.calendar import State, annotation, entry, reschedule
from liaison.protocols.carry_out import carry_out
from liaison.protocols.ending import set_aside
from liaison.protocols.proposal import Node, Proposal, Step

Tree = dict[str, Any]
GROUP_CHANGED: Final = {"system": codes.COORDINATION, "code": "group-changed", "display": "Groupe modifié"}
"""Why a step was set aside that was for another class of persons (liaison.protocols.regrouping): nobody decided against it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A step to come that the new version has, too."""

    task: Tree
    step: Step

    @property
    def was(self) -> date | None:
        return entry(self.task, date.max).due

    @property
    def same(self) -> bool:
        return self.was == self.step.due and self.task.get("description") == self.step.title


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of each step of the plan; `reason` (a CodeableConcept) is noted of whatever changes with it."""

    plan: Tree
    proposal: Proposal
    over: tuple[Tree, ...]
    kept: tuple[Tree, ...]
    moved: tuple[Moved, ...]
    added: tuple[Step, ...]
    dropped: tuple[Tree, ...]
    reason: Tree

    @property
    def why(self) -> str:
        return str(self.reason["text"])

    @property
    def pursued(self) -> frozenset[str]:
        """The goals of the new version, in its words."""
        return frozenset(str(goal["description"].get("text", "")) for goal in self.proposal.plan.get("goal", ()))

    @property
    def confirm(self) -> str:
        """Names exactly this: who confirms it confirms what was shown, and nothing that changed since."""
        told = [
            self.proposal.canonical,
            *(f"= {one['id']}" for one in self.over),
            *(f"= {one['id']} {one['meta']['versionId']}" for one in self.kept),
            *(f"> {one.task['id']} {one.task['meta']['versionId']} {one.step.due}" for one in self.moved),
            *(f"+ {one.action} {one.due}" for one in self.added),
            *(f"- {one['id']} {one['meta']['versionId']}" for one in self.dropped),
        ]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def action_of(task: Tree) -> str:
    """The action of the protocol that a step is of, '' for none."""
    return str(task.get("instantiatesCanonical", "")).partition("#")[2]


def last_done(tasks: Sequence[Tree]) -> dict[str, date]:
    """By action, the last day on which it was done."""
    found: dict[str, date] = {}
    for task in tasks:
        if (done := entry(task, date.max).done) is not None:
            found[action_of(task)] = max(done, found.get(action_of(task), done))
    return found


def move(plan: Tree, tasks: Sequence[Tree], proposal: Proposal) -> Move:
    """The steps of the plan beside those of the proposal, by action, in the order of their dates."""
    over = over_of(tasks)
    decided = [task for task in over if not of_another_group(task)]
    left: dict[str, list[Tree]] = defaultdict(list)
    for task in sorted(tasks, key=lambda one: entry(one, date.max).due or date.max):
        if task not in over:
            left[action_of(task)].append(task)
    declined = {action_of(task) for task in decided if entry(task, date.max).state is State.EXCUSED}
    moved, added = [], []
    number = Counter(action_of(task) for task in decided)
    most = _counts(proposal.nodes)
    for step in proposal.steps:
        number[step.action] += 1
        if number[step.action] > most.get(step.action, number[step.action]):
            continue  # so many times in all, and some of them are over
        if left[step.action]:
            moved.append(Moved(left[step.action].pop(0), step))
        elif not (step.action in declined and _once(step, proposal)):
            added.append(step)
    there = _ids(proposal.plan.get("action", ())) | {one.action for one in proposal.skipped}
    unseen = there - {step.action for step in proposal.steps}
    kept = [task for action, several in left.items() if action in unseen for task in several]
    dropped = [task for action, several in left.items() if action not in unseen for task in several]
    reason = {"text": f"Passage à la version {proposal.plan['version']} du protocole."}
    return Move(plan, proposal, tuple(over), tuple(kept), tuple(moved), tuple(added), tuple(dropped), reason)


def over_of(tasks: Sequence[Tree]) -> list[Tree]:
    """The steps that were done, or set aside."""
    return [task for task in tasks if entry(task, date.max).state in (State.DONE, State.EXCUSED)]


def of_another_group(task: Tree) -> bool:
    """Whether a step was set aside because it was for another class: when the person is of that class again, it comes again."""
    told = (task.get("statusReason") or {}).get("coding", ())
    return any((one.get("system"), one.get("code")) == (GROUP_CHANGED["system"], GROUP_CHANGED["code"]) for one in told)


def _ids(actions: Sequence[Tree]) -> set[str]:
    return {str(one.get("id", "")) for one in actions} | {id_ for one in actions for id_ in _ids(one.get("action", ()))}


def _counts(nodes: Sequence[Node]) -> dict[str, int]:
    """How often in all an action is to be done, of those that say so."""
    found: dict[str, int] = {}
    for node in nodes:
        count = node.action.get("timingTiming", {}).get("repeat", {}).get("count")
        found |= {**({node.id: int(count)} if count else {}), **_counts(node.children)}
    return found


def _once(step: Step, proposal: Proposal) -> bool:
    return sum(one.action == step.action for one in proposal.steps) == 1


def written(
    made: Move, author: Tree, at: datetime, goals: Mapping[str, str], addresses: Sequence[Tree]
) -> tuple[Tree, list[tuple[Tree, Tree]]]:
    """(transaction of what is new, (before, after) of what changes). `goals`: those of the plan by their words, which stay;
    `addresses`: what the plan is for, as far as it may be named."""
    why = made.why
    fresh = [goal for goal in made.proposal.goals if str(goal["description"].get("text", "")) not in goals]
    only_new = replace(made.proposal, steps=made.added, goals=tuple(fresh))
    bundle = carry_out(only_new, author, at)
    plan_entry = bundle["entry"][0]
    urn, plan = plan_entry["fullUrl"], plan_entry["resource"]
    kept = [{"reference": f"Task/{one['id']}", "display": one.get("description", "")} for one in _staying(made)]
    plan.update(
        replaces=[{"reference": f"CarePlan/{made.plan['id']}"}],
        period={**made.plan.get("period", {})} or {"start": made.proposal.on.isoformat()},
        careTeam=made.plan.get("careTeam", []),
        addresses=[*addresses],
        activity=[*({"reference": one} for one in kept), *plan.get("activity", [])],
        goal=[
            *({"reference": reference} for text, reference in goals.items() if text in made.pursued),
            *plan.get("goal", []),
        ],
    )
    plan_entry["resource"] = {name: value for name, value in plan.items() if value not in ([], {})}
    changes = [(one.task, _moved(one, made, urn, author, at, why)) for one in made.moved]
    changes += [(one, _of_the_new(one, made, action_of(one), urn, at)) for one in made.kept]
    changes += [(one, set_aside(one, made.reason, author, at)) for one in made.dropped]
    ended = {**made.plan.get("period", {}), "end": made.proposal.on.isoformat()}
    note = [*made.plan.get("note", ()), annotation(why, author, at)]
    changes.append((made.plan, {**made.plan, "status": "revoked", "period": ended, "note": note}))
    return bundle, changes


def _staying(made: Move) -> list[Tree]:
    return [*made.over, *made.kept, *(one.task for one in made.moved)]


def _moved(one: Moved, made: Move, plan: str, author: Tree, at: datetime, why: str) -> Tree:
    """Dated anew, of the new version. Who was to do it stays, unless nobody was."""
    task = one.task if one.same else reschedule(one.task, one.step.due, why, author, at)
    owner = task.get("owner", {})
    if "reference" not in owner and one.step.owner is not None:
        owner = one.step.owner
    titled = {"description": one.step.title, "code": {**task.get("code", {}), "text": one.step.title}, "owner": owner}
    if one.step.reasons:
        titled["reasonCode"] = one.step.reasons[0]
    return _of_the_new({**task, **titled}, made, one.step.action, plan, at)


def _of_the_new(task: Tree, made: Move, action: str, plan: str, at: datetime) -> Tree:
    return {
        **task,
        "instantiatesCanonical": f"{made.proposal.canonical}#{action}",
        "basedOn": [{"reference": plan}],
        "lastModified": at.isoformat(timespec="seconds"),
    }
