"""PlanDefinition/$apply: from a protocol to dated steps with real people, as a proposal.

R4 §PlanDefinition/$apply. What applies and is chosen: `choosing`; when: `dating`; by whom: `team`. Pure: nothing is read or written;
the record is what the caller could see of it, so a proposal never tells more than that. Expressions know %patient, %context (the
encounter in which it is applied, the patient otherwise), %resource (the definition), %record, %on, the parameters of the operation
by name, the named queries of the definition's Libraries, and its own variables.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.choosing import Choosing, computed, variables, written
from liaison.protocols.dating import Dating
from liaison.protocols.expressions import first, record_of
from liaison.protocols.library.library import Library
from liaison.protocols.proposal import CannotApply, Node, Proposal, Skipped, Step
from liaison.protocols.team import owner

__all__ = ["CannotApply", "Node", "Proposal", "Question", "Skipped", "Step", "decisions", "propose", "questions"]

Tree = dict[str, Any]
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def propose(
    library: Library,
    canonical: str,
    subject: str,
    record: Sequence[Tree],
    on: date,
    *,
    horizon: int = 12,
    undecided: Collection[str] = (),
    accepts: Callable[[Step], bool] = lambda _: True,
    since: date | None = None,
    done: Mapping[str, date] = MappingProxyType({}),
    chosen: Sequence[str] = (),
    declined: Sequence[str] = (),
    context: Mapping[str, Any] = NOTHING,
) -> Proposal:
    """The preview: every step of the next `horizon` months, nothing written.

    KeyError when the protocol is not in the library; CannotApply names the action and the element that cannot be applied.
    Variables that are `undecided` are not computed and count as unknown. `accepts` lets the caller drop steps before they are
    shown. For a plan that goes on, `since` is its first day, and `done` says when actions of it were done last: what happens
    once is then over, and what follows it counts from that day. `chosen` and `declined`: see `Choosing`. `context`: the
    parameters of the operation.
    """
    plan = library.tree(canonical)
    names, patient = _names(plan, subject, record, on, context)
    off = frozenset(undecided)
    known = computed(library, plan, names, off)
    names |= known
    choosing = Choosing(library, chosen, declined, undecided=off)
    nodes = choosing.choose(plan, names)
    dating = Dating(nodes, names, on, horizon, since, done, _not_on(patient))
    teams = [tree for tree in record if tree.get("resourceType") == "CareTeam"]
    steps = [step for node in _leaves(nodes) for step in _steps(node, dating, names, teams, subject) if accepts(step)]
    # R4 lets a goal that no action names have no id.
    goals = [{"id": f"goal {place}", **goal} for place, goal in enumerate((*plan.get("goal", ()), *choosing.goals))]
    used = {goal for step in steps for goal in step.goals}
    always = {goal["id"] for goal in goals} - _named_goals(nodes) - _named_goals_of(plan.get("action", ()))
    own = {expression["name"] for expression in variables(plan)}
    return Proposal(
        plan,
        subject,
        on,
        tuple(sorted(steps, key=lambda step: step.due)),
        tuple(goal for goal in goals if goal["id"] in used | always),
        tuple(choosing.skipped),
        {name: None if value == [] else value for name, value in known.items() if name in own},
        nodes,
        tuple(choosing.open),
    )


def single(
    library: Library,
    activity: Tree,
    subject: str,
    record: Sequence[Tree],
    on: date,
    context: Mapping[str, Any] = NOTHING,
) -> Step:
    """ActivityDefinition/$apply: the one step that it is, by its own timing. Raises CannotApply."""
    names, patient = _names(activity, subject, record, on, context)
    names |= computed(library, activity, names, frozenset())
    node = Node({"id": str(activity.get("name") or activity.get("id") or "activity")}, (), activity)
    teams = [tree for tree in record if tree.get("resourceType") == "CareTeam"]
    dating = Dating((node,), names, on, 12, not_on=_not_on(patient))
    return _steps(node, dating, names, teams, subject)[0]


def _names(
    definition: Tree, subject: str, record: Sequence[Tree], on: date, context: Mapping[str, Any]
) -> tuple[dict[str, Any], Tree]:
    """What expressions know at first, and the patient; {} where the record does not hold it."""
    patient = next((one for one in record if subject == f"{one.get('resourceType')}/{one.get('id')}"), {})
    # %on is the day of the plan, where today() would be that of the machine.
    return {
        **context,
        "record": record_of(record),
        "on": on.isoformat(),
        "patient": patient,
        "context": context.get("encounter", patient),
        "resource": definition,
    }, patient


def _leaves(nodes: Sequence[Node]) -> list[Node]:
    """Those that were chosen, and make something."""
    found: list[Node] = []
    for node in nodes:
        if node.times:
            found += _leaves(node.children) if node.children else [node] * node.times if node.activity else []
    return found


def _steps(node: Node, dating: Dating, names: Mapping[str, Any], teams: Sequence[Tree], subject: str) -> list[Step]:
    action, activity = node.action, node.activity
    assert activity is not None, "leaves that make something have a definition"  # for the types
    participants = action.get("participant") or activity.get("participant", ())
    roles = tuple(one["role"] for one in participants if "role" in one and one.get("type") != "patient")
    person = owner(teams, roles, dating.on)
    if person is None and participants and all(one.get("type") == "patient" for one in participants):
        person = {"reference": subject}
    values = {**_dynamic(activity, action["id"], names), **_dynamic(action, action["id"], names)}
    return [
        Step(
            action=action["id"],
            code=(action.get("code") or [activity.get("code", {})])[0],
            title=action.get("title") or activity["title"],
            description=action.get("description") or activity.get("description", ""),
            opens=opens,
            due=due,
            owner=person,
            roles=roles,
            goals=tuple(action.get("goalId", ())),
            sources=tuple(artifact["label"] for artifact in action.get("documentation", ()) if "label" in artifact),
            priority=str(action.get("priority") or activity.get("priority") or "routine"),
            definition=f"{activity['url']}|{activity['version']}",
            activity=activity,
            set=values,
            reasons=tuple(action.get("reason", ())),
        )
        for opens, due in dating.moments(node)
    ]


def _dynamic(definition: Tree, action: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """What dynamicValue gives, by path; an empty value leaves the path as it is."""
    found = {}
    for number, one in enumerate(definition.get("dynamicValue", ())):
        if not one.get("path") or "expression" not in one:
            raise CannotApply(action, f"dynamicValue[{number}]", "a path and an expression are needed")
        text = written(one, action, f"dynamicValue[{number}]")
        value = first(text, names.get("patient", {}), names)
        if value is not None:
            found[str(one["path"])] = value
    return found


def _not_on(patient: Tree) -> frozenset[int]:
    """The days of the week on which the person does not come (codes.NOT_ON)."""
    told = [one.get("valueCode") for one in patient.get("extension", ()) if one.get("url") == codes.NOT_ON]
    return frozenset(_WEEK.index(one) for one in told if one in _WEEK)


def _named_goals(nodes: Sequence[Node]) -> set[str]:
    return {goal for node in nodes for goal in (*node.action.get("goalId", ()), *_named_goals(node.children))}


def _named_goals_of(actions: Sequence[Tree]) -> set[str]:
    return {
        goal for action in actions for goal in (*action.get("goalId", ()), *_named_goals_of(action.get("action", ())))
    }


@dataclass(frozen=True, slots=True)
class Question:
    """What a doctor is asked to say of a person where it is not computed: a whole number, kept as an Observation."""

    words: str
    coding: Tree
    low: int
    high: int


def questions(plan: Tree, undecided: Collection[str]) -> tuple[Question, ...]:
    """Those of the variables that are not computed."""
    told = [
        (one, {part["url"]: part for part in extension.get("extension", ())})
        for one in variables(plan)
        if one["name"] in undecided
        for extension in one.get("extension", ())
        if extension.get("url") == codes.STATED_AS
    ]
    return tuple(
        Question(
            str(parts["code"]["valueCoding"].get("display", one.get("description", ""))),
            parts["code"]["valueCoding"],
            int(parts["range"]["valueRange"]["low"]["value"]),
            int(parts["range"]["valueRange"]["high"]["value"]),
        )
        for one, parts in told
    )


def decisions(plan: Tree) -> dict[str, str]:
    """The variables that compute a class of a person from data, marked clinical-decision, with what they are."""
    return {
        one["name"]: str(one.get("description", ""))
        for one in variables(plan)
        if any(inner.get("url") == codes.CLINICAL_DECISION for inner in one.get("extension", ()))
    }
