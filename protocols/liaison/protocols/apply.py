"""PlanDefinition/$apply: from a protocol to dated steps with real people, first as a proposal, then as resources.

R4 §PlanDefinition/$apply, the part that the library uses: action groups, applicability conditions, goals, timing by
duration, recurrence or relation to another action, participants of the ActivityDefinition. Pure: nothing is read or
written; the record is what the caller could see of it, so a proposal never tells more than that.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from liaison.protocols import codes
from liaison.protocols.days import named_day
from liaison.protocols.expressions import first, holds, record_of
from liaison.protocols.library.library import Library
from liaison.protocols.team import owner
from liaison.protocols.timing import occurrences, shifted
from liaison.protocols.workdays import next_working

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One dated thing to do. `owner` is None when nobody of the team has a role that fits: 'à attribuer'."""

    action: str
    code: Tree
    title: str
    description: str
    opens: date | None
    due: date
    owner: Tree | None
    roles: tuple[Tree, ...]
    goals: tuple[str, ...]
    sources: tuple[str, ...]
    priority: str
    definition: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An action that does not apply to this person, and the condition that said so."""

    action: str
    title: str
    condition: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What applying the protocol would make. `variables` are the values that decided, to be shown with it."""

    plan: Tree
    subject: str
    on: date
    steps: tuple[Step, ...]
    goals: tuple[Tree, ...]
    skipped: tuple[Skipped, ...]
    variables: dict[str, Any]

    @property
    def canonical(self) -> str:
        return f"{self.plan['url']}|{self.plan['version']}"


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
) -> Proposal:
    """The preview: every step of the next `horizon` months, nothing written.

    KeyError when the protocol is not in the library. Variables that are `undecided` are not computed and count
    as unknown. `accepts` lets the caller drop steps before they are shown. For a plan that goes on,
    `since` is its first day, and `done` says when actions of it were done last: what happens once is then over, and what
    follows it counts from that day.
    """
    plan = library.tree(canonical)
    # %on is the day of the plan, where today() would be that of the machine.
    names: dict[str, Any] = {"record": record_of(record), "on": on.isoformat()}
    variables: dict[str, Any] = {}
    for expression in _variables(plan):
        name = expression["name"]
        value = first(expression["expression"], {}, names) if name not in undecided else None
        variables[name] = value
        names[name] = [] if value is None else value
    teams = [tree for tree in record if tree.get("resourceType") == "CareTeam"]
    steps: list[Step] = []
    skipped: list[Skipped] = []
    dates: dict[str, date] = {}
    for action in _leaves(plan.get("action", ()), (), names, skipped):
        activity = library.tree(action["definitionCanonical"])
        roles = tuple(participant["role"] for participant in activity.get("participant", ()) if "role" in participant)
        for opens, due in _when(action, _Days(on, since, done), horizon, names, dates):
            step = _step(action, activity, opens, due, owner(teams, roles, on), roles)
            if accepts(step):
                steps.append(step)
    used = {goal for step in steps for goal in step.goals}
    always = {goal["id"] for goal in plan.get("goal", ())} - _named_goals(plan.get("action", ()))
    goals = tuple(goal for goal in plan.get("goal", ()) if goal["id"] in used | always)
    return Proposal(
        plan, subject, on, tuple(sorted(steps, key=lambda step: step.due)), goals, tuple(skipped), variables
    )


def _variables(plan: Tree) -> list[Tree]:
    return [one["valueExpression"] for one in plan.get("extension", ()) if one.get("url") == codes.VARIABLE]


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
        for one in _variables(plan)
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
        for one in _variables(plan)
        if any(inner.get("url") == codes.CLINICAL_DECISION for inner in one.get("extension", ()))
    }


def _leaves(
    actions: Sequence[Tree], conditions: tuple[str, ...], names: dict[str, Any], skipped: list[Skipped]
) -> list[Tree]:
    found: list[Tree] = []
    for action in actions:
        own = [
            condition["expression"]["expression"]
            for condition in action.get("condition", ())
            if condition.get("kind") == "applicability"
        ]
        refused = next((text for text in own if not holds(text, {}, names)), None)
        if refused is not None:
            skipped.append(Skipped(action.get("id", ""), action.get("title", ""), refused))
        elif action.get("action"):
            found += _leaves(action["action"], conditions, names, skipped)
        else:
            found.append(action)
    return found


def _named_goals(actions: Sequence[Tree]) -> set[str]:
    return {goal for action in actions for goal in (*action.get("goalId", ()), *_named_goals(action.get("action", ())))}


def _extension(action: Tree, url: str) -> Tree | None:
    return next((found for found in action.get("extension", ()) if found.get("url") == url), None)


@dataclass(frozen=True, slots=True)
class _Days:
    """Today; for a plan that goes on, its first day, and when its actions were done last."""

    on: date
    since: date | None
    done: Mapping[str, date]


def _when(
    action: Tree, days: _Days, horizon: int, names: dict[str, Any], dates: dict[str, date]
) -> list[tuple[date | None, date]]:
    """(opens, due) of each occurrence, on working days. Remembers the due date for actions that follow this one, or the day on
    which it was done."""
    on, was = days.on, days.done.get(action["id"])
    last = was
    if (extension := _extension(action, codes.LAST_DONE)) is not None:
        found = first(extension["valueExpression"]["expression"], {}, names)
        last = (named_day(str(found)) if found else None) or was
    if "timingTiming" in action and "relatedAction" not in action:
        season = _extension(action, codes.SEASON)
        from_ = last if season else last or days.since
        moments = occurrences(
            action["timingTiming"].get("repeat", {}), on, from_, horizon, season["valueString"] if season else ""
        )
    elif was is not None:  # once is enough
        dates[action["id"]] = was
        return []
    elif related := action.get("relatedAction"):
        follows = related[0]
        base = dates.get(follows["actionId"])
        if base is None:  # What it follows does not apply to this person: neither does this.
            return []
        moments = [(None, shifted(base, follows.get("offsetDuration", {})))]
    else:
        moments = [(None, shifted(last or days.since or on, action.get("timingDuration", {})))]
    dates[action["id"]] = moments[-1][1] if moments else on
    return [(opens, next_working(due)) for opens, due in moments]


def _step(
    action: Tree, activity: Tree, opens: date | None, due: date, person: Tree | None, roles: tuple[Tree, ...]
) -> Step:
    return Step(
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
    )
