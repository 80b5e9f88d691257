"""The RequestGroup of an applied plan: the structure of its PlanDefinition, as it was chosen, over the resources that were made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from liaison.protocols.proposal import Node, Proposal, Tree

_KEPT: Final = (
    "prefix",
    "title",
    "description",
    "textEquivalent",
    "priority",
    "code",
    "type",
    "groupingBehavior",
    "selectionBehavior",
    "requiredBehavior",
    "precheckBehavior",
    "cardinalityBehavior",
)
_AUTHORS: Final = ("Device/", "Practitioner/", "PractitionerRole/")


def request_group(proposal: Proposal, author: Tree, at: datetime, made: Mapping[str, Sequence[str]]) -> Tree | None:
    """With the resources that were `made`, by action. None where nothing was: an action has a resource, or actions (rqg-1)."""
    there = _there(proposal.nodes, made)
    actions = [one for node in proposal.nodes if (one := _action(node, made, there)) is not None]
    if not actions:
        return None
    signed = str(author.get("reference", "")).startswith(_AUTHORS)
    return {
        "resourceType": "RequestGroup",
        "instantiatesCanonical": [proposal.canonical],
        "status": "active",
        "intent": "plan",
        "subject": {"reference": proposal.subject},
        "authoredOn": at.isoformat(timespec="seconds"),
        **({"author": author} if signed else {}),
        "action": actions,
    }


def _there(nodes: Sequence[Node], made: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes:
        inner = _there(node.children, made)
        found |= {node.id, *inner} if node.times and (inner or made.get(node.id)) else set()
    return frozenset(found)


def _action(node: Node, made: Mapping[str, Sequence[str]], there: frozenset[str]) -> Tree | None:
    if node.id not in there:
        return None
    told: Tree = {"id": node.id, **{name: node.action[name] for name in _KEPT if name in node.action}}
    if "type" in told and not isinstance(told["type"], dict):
        del told["type"]
    conditions = [one for one in node.action.get("condition", ()) if "expression" in one]
    related = [one for one in node.action.get("relatedAction", ()) if one.get("actionId") in there]
    told |= {name: value for name, value in (("condition", conditions), ("relatedAction", related)) if value}
    resources: list[Any] = [{"resource": {"reference": urn}} for urn in made.get(node.id, ())]
    if node.children:
        told["action"] = [one for child in node.children if (one := _action(child, made, there)) is not None]
    elif len(resources) == 1:
        told |= resources[0]
    else:
        told["action"] = resources
    return told
