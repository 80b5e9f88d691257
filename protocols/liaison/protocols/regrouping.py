"""A plan whose person is of another class than its steps are for (a grade, a group): from the steps of the old one to those of the
new one, in the version that the plan follows.

Only what a class decides changes. A step goes when the class is known and its condition, or that of a group it stands in, says that it
is not for this class; one comes when such a condition says that it is, and the plan has none of its kind to come. All else stays on its
day, with whoever does it: what a person has dated is not dated again. A class that is not computed here, or that the caller does not
see, decides nothing. Pure: trees in, trees out.
"""

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from liaison.protocols import codes
from liaison.protocols.choosing import variables
from liaison.protocols.moving import GROUP_CHANGED, Move, action_of, of_another_group, over_of
from liaison.protocols.proposal import Node, Proposal

Tree = dict[str, Any]


def classes(definition: Tree) -> dict[str, str]:
    """The description of each class of a person that a protocol computes, and of each that is made of one, by name."""
    named: dict[str, str] = {}
    for one in variables(definition):
        marked = any(inner.get("url") == codes.CLINICAL_DECISION for inner in one.get("extension", ()))
        if marked or any(_names(one.get("expression", ""), name) for name in named):
            named[str(one["name"])] = str(one.get("description", ""))
    return named


def known(proposal: Proposal) -> dict[str, str]:
    """Those that have a value for this person, as far as whoever asks sees."""
    told = classes(proposal.plan)
    return {name: words for name, words in told.items() if proposal.variables.get(name) is not None}


def refused(proposal: Proposal) -> Callable[[str], bool]:
    """Whether an action is not for the class that this person is of, or stands in one that is not."""
    named = known(proposal)
    outer = {one.action for one in proposal.skipped if _decides(one.condition, named)}
    inner = {*outer, *_within(proposal.plan.get("action", ()), outer)}
    return lambda action: action in inner or any(action.startswith(f"{one}.") for one in inner)


def regrouped(plan: Tree, tasks: Sequence[Tree], proposal: Proposal) -> Move:
    """What becomes of each step of the plan; nothing is added or dropped where no class has changed."""
    over = over_of(tasks)
    to_come = [task for task in tasks if task not in over]
    named, gone = known(proposal), refused(proposal)
    dropped = [task for task in to_come if gone(action_of(task))]
    theirs = set(_of_the_class(proposal.nodes, named))
    there = {action_of(task) for task in tasks}
    back = {action_of(task) for task in over if of_another_group(task)} - {action_of(task) for task in to_come}
    added = [one for one in proposal.steps if one.action in theirs and (one.action not in there or one.action in back)]
    wanted = {goal for one in added for goal in one.goals}
    proposal = replace(proposal, goals=tuple(goal for goal in proposal.goals if goal["id"] in wanted))
    said = ", ".join(f"{words} = {proposal.variables[name]}" for name, words in named.items())
    reason = {"coding": [GROUP_CHANGED], "text": f"Changement de groupe : {said}."}
    kept = tuple(task for task in to_come if task not in dropped)
    return Move(plan, proposal, tuple(over), kept, (), tuple(added), tuple(dropped), reason)


def _of_the_class(nodes: Sequence[Node], named: Mapping[str, str], inside: bool = False) -> Iterator[str]:
    """The actions that apply because of a class: their own condition asks for it, or that of a group they stand in."""
    for node in nodes:
        conditions = [one["expression"]["expression"] for one in node.action.get("condition", ())]
        here = inside or any(_decides(one, named) for one in conditions)
        if here:
            yield node.id
        yield from _of_the_class(node.children, named, here)


def _within(actions: Sequence[Tree], outer: Container[str], inside: bool = False) -> Iterator[str]:
    for action in actions:
        here = inside or action.get("id") in outer
        if here:
            yield str(action.get("id", ""))
        yield from _within(action.get("action", ()), outer, here)


def _decides(condition: str, named: Mapping[str, str]) -> bool:
    return any(_names(condition, name) for name in named)


def _names(expression: str, name: str) -> bool:
    return re.search(rf"%['`]?{re.escape(name)}\b", expression) is not None
