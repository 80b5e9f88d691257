"""From a proposal to resources: one transaction Bundle of a CarePlan, its Goals, a Task for each step, the requests that steps ask
for, and the RequestGroup that holds them in the order of the protocol."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from liaison.protocols import codes
from liaison.protocols.grouping import request_group
from liaison.protocols.proposal import CannotApply, Proposal, Step
from liaison.protocols.requests import request_of, with_values
from liaison.protocols.timing import shifted

Tree = dict[str, Any]
UNASSIGNED = "À attribuer"
ANY_STEP = "step"
"""Of codes.STEP: what a step is found by on the desks when its protocol has codes of its own."""


def carry_out(
    proposal: Proposal,
    author: Tree,
    at: datetime,
    *,
    care_teams: Sequence[str] = (),
    addresses: Sequence[str] = (),
    seed: UUID | None = None,
) -> Tree:
    """The transaction that makes the plan real. `author` is a Reference to who applied it; `care_teams` and `addresses`
    are references to the team and the conditions. Raises CannotApply. The same proposal and seed give the same bundle."""
    space = seed or uuid5(NAMESPACE_URL, f"{proposal.canonical}/{proposal.subject}/{at.isoformat()}")
    plan_urn = f"urn:uuid:{uuid5(space, 'plan')}"
    goals = {
        goal["id"]: (f"urn:uuid:{uuid5(space, goal['id'])}", _goal(proposal, goal, author)) for goal in proposal.goals
    }
    tasks, requests = [], []
    made: dict[str, list[str]] = defaultdict(list)
    for number, step in enumerate(proposal.steps):
        urn, wanted = (f"urn:uuid:{uuid5(space, f'{what} {number}')}" for what in ("task", "request"))
        tree = task(proposal, step, plan_urn, author, at)
        request = request_of(step, proposal.subject, author, at, plan_urn)
        if request is not None:
            requests.append((wanted, request))
            tree["focus"] = {"reference": wanted}
        made[step.action].append(urn if request is None else wanted)
        tasks.append((urn, tree))
    group = request_group(proposal, author, at, made)
    groups = [(f"urn:uuid:{uuid5(space, 'group')}", group)] if group is not None else []
    plan: Tree = {
        "resourceType": "CarePlan",
        "instantiatesCanonical": [proposal.canonical],
        "status": "active",
        "intent": "plan",
        "title": proposal.plan["title"],
        "description": proposal.plan.get("description", ""),
        "subject": {"reference": proposal.subject},
        "period": {"start": proposal.on.isoformat()},
        "created": at.isoformat(timespec="seconds"),
        "author": author,
        "careTeam": [{"reference": team} for team in care_teams],
        "addresses": [{"reference": condition} for condition in addresses],
        "goal": [{"reference": urn} for urn, _ in goals.values()],
        "activity": [
            *({"reference": {"reference": urn, "display": tree["description"]}} for urn, tree in tasks),
            *({"reference": {"reference": urn}} for urn, _ in groups),
        ],
    }
    entries = [(plan_urn, _pruned(plan)), *goals.values(), *tasks, *requests, *groups]
    return created((urn, labelled(proposal.plan, tree)) for urn, tree in entries)


def labelled(definition: Tree, tree: Tree) -> Tree:
    """What a definition writes, with the classes that it says all of it has."""
    labels = [one["valueCoding"] for one in definition.get("extension", ()) if one.get("url") == codes.LABELLED]
    return {**tree, "meta": {**tree.get("meta", {}), "security": labels}} if labels else tree


def created(entries: Iterable[tuple[str, Tree]]) -> Tree:
    """The transaction that makes these resources, each known to the others by its 'urn:uuid:…'."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": urn, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
            for urn, tree in entries
        ],
    }


def _goal(proposal: Proposal, goal: Tree, author: Tree) -> Tree:
    return _pruned(
        {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "achievementStatus": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/goal-achievement",
                        "code": "in-progress",
                        "display": "En cours",
                    }
                ]
            },
            "category": [goal["category"]] if "category" in goal else [],
            "priority": goal.get("priority", {}),
            "description": goal["description"],
            "subject": {"reference": proposal.subject},
            **({"startCodeableConcept": goal["start"]} if "start" in goal else {"startDate": proposal.on.isoformat()}),
            "target": [_target(target, proposal.on) for target in goal.get("target", ())],
            "expressedBy": author,
        }
    )


def _target(target: Tree, on: date) -> Tree:
    kept = {name: value for name, value in target.items() if name.startswith(("measure", "detail"))}
    if "due" in target:
        try:
            kept["dueDate"] = shifted(on, target["due"]).isoformat()
        except ValueError as error:
            raise CannotApply("", "goal.target.due", str(error)) from None
    return kept


def task(proposal: Proposal, step: Step, plan: str, author: Tree, at: datetime) -> Tree:
    """One step as a Task. Its due date is restriction.period.end; it keeps that date when it is done later."""
    period = {"end": step.due.isoformat()}
    if step.opens is not None:
        period = {"start": step.opens.isoformat(), **period}
    coding = list(step.code.get("coding", []))
    if not any(one.get("system") == codes.STEP for one in coding):
        coding.append({"system": codes.STEP, "code": ANY_STEP, "display": "Étape d'un protocole"})
    concept = {"coding": coding, "text": step.title}
    made = _pruned(
        {
            "resourceType": "Task",
            "instantiatesCanonical": f"{proposal.canonical}#{step.action}",
            "basedOn": [{"reference": plan}],
            "status": "requested",
            "intent": "order",
            "priority": step.priority,
            "code": concept,
            "description": step.title,
            "for": {"reference": proposal.subject},
            "authoredOn": at.isoformat(timespec="seconds"),
            "lastModified": at.isoformat(timespec="seconds"),
            "requester": author,
            "reasonCode": step.reasons[0] if step.reasons else {},  # R4 has one
            "performerType": list(step.roles),
            "owner": step.owner or {"display": UNASSIGNED},
            "restriction": {"period": period},
            "note": [{"text": step.description}] if step.description else [],
        }
    )
    return with_values(made, step) if step.activity.get("kind", "Task") == "Task" else made


def step_code(tree: Tree) -> str:
    """The protocol-step code of a Task, '' when it is no step of a protocol."""
    return next(
        (
            coding["code"]
            for coding in tree.get("code", {}).get("coding", ())
            if coding.get("system") == codes.STEP and "code" in coding
        ),
        "",
    )


def _pruned(tree: Tree) -> Tree:
    return {name: value for name, value in tree.items() if value not in ("", [], {})}
