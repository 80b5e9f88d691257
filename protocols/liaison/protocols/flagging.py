"""An alert as a Flag: software that knows no Task finds there what stands open, and since when.

It says what the alert says and nothing besides, is active while the alert is open, and names the alert (flag-detail). What a
report of suspected abuse says is on no Flag: the caller leaves it out.
"""

from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from liaison.protocols import codes
from liaison.protocols.alerts import is_open, signs_said

Tree = dict[str, Any]

IDENTIFIER: Final = f"{codes.LOCAL}/sid/alert-flag"
TAG: Final = {"system": codes.HOME_CARE, "code": "alert", "display": "Alerte"}
"""On each of them."""
BESIDES: Final = {"_tag:not": f"{codes.HOME_CARE}|alert"}
"""A search of the other Flags: R4 can ask neither their status nor their code, and those of old alerts would fill its pages."""
DETAIL: Final = "http://hl7.org/fhir/StructureDefinition/flag-detail"


def identifier(task: str) -> Tree:
    """Of the Flag of this alert, 'Task/x'."""
    return {"system": IDENTIFIER, "value": str(uuid5(NAMESPACE_URL, task))}


def flag(task: Tree) -> Tree:
    """The Flag that this alert has now."""
    reference = f"Task/{task['id']}"
    labels = (task.get("meta") or {}).get("security")
    tree: Tree = {
        "resourceType": "Flag",
        "meta": {"tag": [TAG], **({"security": labels} if labels else {})},
        "extension": [{"url": DETAIL, "valueReference": {"reference": reference}}],
        "identifier": [identifier(reference)],
        "status": "active" if is_open(task) else "inactive",
        "category": [{"coding": [TAG], "text": "Alerte"}],
        "code": {"coding": task["code"]["coding"], "text": signs_said(task) or task["code"].get("text", "Alerte")},
        "subject": task["for"],
        "period": {"start": task.get("authoredOn") or task["meta"]["lastUpdated"]},
    }
    if task.get("status") == "entered-in-error":
        tree["status"] = "entered-in-error"
    if tree["status"] != "active":
        tree["period"]["end"] = (task.get("executionPeriod") or {}).get("end") or task["lastModified"]
    if "requester" in task:
        tree["author"] = task["requester"]
    return tree


def followed(known: Tree, made: Tree) -> Tree:
    """The recorded Flag as the alert now has it; the very Flag where nothing changed."""
    changed = {**known, **{name: made[name] for name in made if name != "meta"}}
    return known if changed == known else changed
