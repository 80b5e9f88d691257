"""PlanDefinition/$apply: from a protocol to dated steps with real people, first as a proposal, then as resources.

R4 §PlanDefinition/$apply, the part that the library uses: action groups, applicability conditions, goals, timing by
duration, recurrence or relation to another action, participants of the ActivityDefinition. Pure: nothing is read or
written; the record is what the caller could see of it, so a proposal never tells more than that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
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
    clinical_decisions: bool = True,
    accepts: Callable[[Step], bool] = lambda _: True,
) -> Proposal:
    """The preview: every step of the next `horizon` months, nothing written.

    KeyError when the protocol is not in the library. With `clinical_decisions` off, variables marked clinical-decision
    are not computed and count as unknown. `accepts` lets the caller drop steps before they are shown.
    """
    plan = library.tree(canonical)
    # %on is the day of the plan, where today() would be that of the machine.
    names: dict[str, Any] = {"record": record_of(record), "on": on.isoformat()}
    variables: dict[str, Any] = {}
    for expression, decision in _variables(plan):
        name = expression["name"]
        value = first(expression["expression"], {}, names) if clinical_decisions or not decision else None
        variables[name] = value
        names[name] = [] if value is None else value
    teams = [tree for tree in record if tree.get("resourceType") == "CareTeam"]
    steps: list[Step] = []
    skipped: list[Skipped] = []
    dates: dict[str, date] = {}
    for action in _leaves(plan.get("action", ()), (), names, skipped):
        activity = library.tree(action["definitionCanonical"])
        roles = tuple(participant["role"] for participant in activity.get("participant", ()) if "role" in participant)
        for opens, due in _when(action, on, horizon, names, dates):
            step = _step(action, activity, opens, due, owner(teams, roles, on), roles)
            if accepts(step):
                steps.append(step)
    used = {goal for step in steps for goal in step.goals}
    always = {goal["id"] for goal in plan.get("goal", ())} - _named_goals(plan.get("action", ()))
    goals = tuple(goal for goal in plan.get("goal", ()) if goal["id"] in used | always)
    return Proposal(
        plan, subject, on, tuple(sorted(steps, key=lambda step: step.due)), goals, tuple(skipped), variables
    )


def _variables(plan: Tree) -> list[tuple[Tree, bool]]:
    return [
        (
            extension["valueExpression"],
            any(
                inner.get("url") == codes.CLINICAL_DECISION
                for inner in extension["valueExpression"].get("extension", ())
            ),
        )
        for extension in plan.get("extension", ())
        if extension.get("url") == codes.VARIABLE
    ]


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


def _when(
    action: Tree, on: date, horizon: int, names: dict[str, Any], dates: dict[str, date]
) -> list[tuple[date | None, date]]:
    """(opens, due) of each occurrence, on working days. Remembers the due date for actions that follow this one."""
    last: date | None = None
    if (extension := _extension(action, codes.LAST_DONE)) is not None:
        found = first(extension["valueExpression"]["expression"], {}, names)
        last = named_day(str(found)) if found else None
    if related := action.get("relatedAction"):
        follows = related[0]
        base = dates.get(follows["actionId"])
        if base is None:  # What it follows does not apply to this person: neither does this.
            return []
        moments: list[tuple[date | None, date]] = [(None, shifted(base, follows.get("offsetDuration", {})))]
    elif "timingTiming" in action:
        season = _extension(action, codes.SEASON)
        moments = occurrences(
            action["timingTiming"].get("repeat", {}), on, last, horizon, season["valueString"] if season else ""
        )
    else:
        moments = [(None, shifted(last or on, action.get("timingDuration", {})))]
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
