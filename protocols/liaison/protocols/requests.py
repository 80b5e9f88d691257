"""The request resource that an ActivityDefinition asks for (R4 ActivityDefinition.kind), and what dynamicValue sets of it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from liaison.protocols.proposal import CannotApply, Step, Tree

_PART: Final = re.compile(r"([A-Za-z]+)(?:\[([0-9]{1,3})\])?\Z")


def request_of(step: Step, subject: str, author: Tree, at: datetime, based_on: str = "") -> Tree | None:
    """The resource of the kind, dated; None for a Task, which every step is anyway. Raises CannotApply for a kind that is not made
    here, or what the kind needs and the definition does not say."""
    kind = str(step.activity.get("kind", "Task"))
    if kind == "Task":
        return None
    make = _KINDS.get(kind)
    if make is None:
        raise CannotApply(step.action, "kind", f"a {kind} is not made here")
    common: Tree = {
        "resourceType": kind,
        "priority": step.priority,
        "authoredOn": at.isoformat(timespec="seconds"),
        "requester": author,
        "subject": {"reference": subject},
        "basedOn": [{"reference": based_on}] if based_on else [],
        "reasonCode": list(step.reasons),
    }
    tree = make(step, common)
    return with_values({name: value for name, value in tree.items() if value not in ("", [], {})}, step)


def with_values(tree: Tree, step: Step) -> Tree:
    """The resource with what dynamicValue gives. Raises CannotApply for a path that cannot be followed."""
    for path, value in step.set.items():
        tree = _with(tree, path.removeprefix(f"{tree['resourceType']}."), value, step.action)
    return tree


def _with(node: Any, path: str, value: Any, action: str) -> Any:
    head, _dot, rest = path.partition(".")
    found = _PART.match(head)
    if found is None:
        raise CannotApply(action, "dynamicValue.path", f"'{path[:80]}' is no path of elements")
    name, index = found[1], found[2]
    if not isinstance(node, dict):
        raise CannotApply(action, "dynamicValue.path", f"'{name}' is no element of a value")
    if index is None and not isinstance(node.get(name), list):
        return {**node, name: _with(node.get(name, {}), rest, value, action) if rest else value}
    items, place = list(node.get(name, ())), int(index or 0)
    if place > len(items):
        raise CannotApply(action, "dynamicValue.path", f"'{name}' has no {place} yet")
    items[place : place + 1] = [
        _with(items[place] if place < len(items) else {}, rest, value, action) if rest else value
    ]
    return {**node, name: items}


def _status(step: Step, common: Tree) -> Tree:
    intent = str(step.activity.get("intent", "order"))
    return {
        **common,
        "status": "active",
        "intent": intent,
        "doNotPerform": step.activity.get("doNotPerform", ""),
        "instantiatesCanonical": [step.definition],
    }


def _occurrence(step: Step) -> Tree:
    if step.opens is None:
        return {"occurrenceDateTime": step.due.isoformat()}
    return {"occurrencePeriod": {"start": step.opens.isoformat(), "end": step.due.isoformat()}}


def _service(step: Step, common: Tree) -> Tree:
    performer = [step.owner] if step.owner and "reference" in step.owner else []
    quantity = step.activity.get("quantity")
    return {
        **_status(step, common),
        **_occurrence(step),
        "code": step.activity.get("code") or step.code,
        "performer": performer,
        "performerType": step.roles[0] if step.roles else {},
        "bodySite": step.activity.get("bodySite", []),
        "quantityQuantity": quantity or {},
        "patientInstruction": step.description,
    }


def _appointment(step: Step, common: Tree) -> Tree:
    """Proposed, within the days of the step: somebody books it."""
    people = [common["subject"], *([step.owner] if step.owner and "reference" in step.owner else [])]
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        "serviceType": [step.code] if step.code else [],
        "description": step.title,
        "comment": step.description,
        "created": common["authoredOn"],
        "reasonCode": common["reasonCode"],
        "requestedPeriod": [{"start": (step.opens or step.due).isoformat(), "end": step.due.isoformat()}],
        "participant": [{"actor": one, "status": "needs-action"} for one in people],
        "basedOn": [],
    }


def _communication(step: Step, common: Tree) -> Tree:
    return {
        **common,
        **_occurrence(step),
        "status": "active",
        "doNotPerform": step.activity.get("doNotPerform", ""),
        "recipient": [common["subject"]],
        "payload": [{"contentString": step.description or step.title}],
        "category": [step.code] if step.code else [],
    }


def _product(step: Step) -> Tree:
    named = step.activity.get("productCodeableConcept")
    if named is None:
        raise CannotApply(step.action, "productCodeableConcept", f"a {step.activity['kind']} needs it")
    return dict(named)


def _medication(step: Step, common: Tree) -> Tree:
    """A draft: a doctor prescribes (docs/intended-purpose.md)."""
    made = {**_status(step, common), "status": "draft", "medicationCodeableConcept": _product(step)}
    return {**made, "dosageInstruction": step.activity.get("dosage", [])}


def _device(step: Step, common: Tree) -> Tree:
    made = {**_status(step, common), **_occurrence(step), "codeCodeableConcept": _product(step)}
    made.pop("doNotPerform")
    return made


def _supply(step: Step, common: Tree) -> Tree:
    quantity = step.activity.get("quantity")
    if quantity is None:
        raise CannotApply(step.action, "quantity", "a SupplyRequest needs it")
    kept = {name: common[name] for name in ("resourceType", "priority", "authoredOn", "requester", "reasonCode")}
    return {
        **kept,
        **_occurrence(step),
        "status": "active",
        "itemCodeableConcept": _product(step),
        "quantity": quantity,
        "deliverTo": common["subject"],
    }


_KINDS: Final[Mapping[str, Callable[[Step, Tree], Tree]]] = {
    "Appointment": _appointment,
    "CommunicationRequest": _communication,
    "DeviceRequest": _device,
    "MedicationRequest": _medication,
    "ServiceRequest": _service,
    "SupplyRequest": _supply,
}
MADE: Final = frozenset({"Task", *_KINDS})
"""The kinds of an ActivityDefinition of which something is made."""
