"""PlanDefinitions written for the tests of $apply; 23 November 2026 is a Monday."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from liaison.protocols.apply import Proposal, propose
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Source

Tree = dict[str, Any]
MONDAY = date(2026, 11, 23)
BASE = "https://example.org"
PATIENT: Tree = {"resourceType": "Patient", "id": "1", "birthDate": "1960-03-15", "gender": "female"}
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
AUTHOR = {"reference": "PractitionerRole/n"}


def an_activity(name: str, **more: Any) -> Tree:
    made = {
        "resourceType": "ActivityDefinition",
        "url": f"{BASE}/ActivityDefinition/{name}",
        "version": "1",
        "title": name,
    }
    return {**made, "name": name, "status": "active", "timingDuration": days(7), **more}


def days(value: float, code: str = "d") -> Tree:
    return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code}


def do(name: str, definition: str = "act", **more: Any) -> Tree:
    return {"id": name, "title": name, "definitionCanonical": f"{BASE}/ActivityDefinition/{definition}", **more}


def when(expression: str, kind: str = "applicability") -> Tree:
    return {"condition": [{"kind": kind, "expression": {"language": "text/fhirpath", "expression": expression}}]}


def a_plan(*actions: Tree, name: str = "plan", **more: Any) -> Tree:
    made = {"resourceType": "PlanDefinition", "url": f"{BASE}/PlanDefinition/{name}", "version": "1", "title": name}
    return {**made, "status": "active", "action": list(actions), **more}


def applied(
    plan: Tree, *others: Tree, on: date = MONDAY, record: tuple[Tree, ...] = (PATIENT,), **more: Any
) -> Proposal:
    trees = (plan, an_activity("act"), *others)
    library = Library(tuple(Source(Path("x"), tree, {"": 0}) for tree in trees))
    return propose(library, plan["url"], "Patient/1", record, on, **more)


def dates(plan: Tree, *others: Tree, **more: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in applied(plan, *others, **more).steps:
        found.setdefault(step.action, []).append(step.due.isoformat())
    return found


def after(name: str, *others: str, relation: str = "after", **more: Any) -> Tree:
    return do(name, relatedAction=[{"actionId": one, "relationship": relation} for one in others], **more)


A, B, C = do("a"), do("b"), do("c")
# `base` is open from 1 to 11 December 2026.
BASED = do("base", timingPeriod={"start": "2026-12-01", "end": "2026-12-11"})
