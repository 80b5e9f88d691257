"""What becomes of each step when a plan is moved, one row a case."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from liaison.protocols.apply import propose
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Source
from liaison.protocols.moving import last_done, move

Tree = dict[str, Any]
ACTIVITY = {"resourceType": "ActivityDefinition", "url": "https://e.org/a", "version": "1", "title": "a"}
MONTHLY = {"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo", "count": 3}}}
FALSE = {"condition": [{"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": "false"}}]}


def _task(action: str, due: str, status: str = "requested") -> Tree:
    done = {"executionPeriod": {"end": due}} if status == "completed" else {}
    tree = {"resourceType": "Task", "id": f"{action}-{due}", "meta": {"versionId": "1"}, "status": status, **done}
    period = {"period": {"end": due}}
    return {**tree, "instantiatesCanonical": f"https://e.org/p|1#{action}", "restriction": period, "description": "x"}


def _in(days: int) -> Tree:
    return {"timingDuration": {"value": days, "code": "d"}}


CASES: list[tuple[str, list[Tree], Tree, list[str]]] = [
    ("dated anew", [_task("x", "2026-12-01")], _in(60), ["moved x 2026-12-31"]),
    ("done stays done", [_task("x", "2026-11-10", "completed")], _in(60), ["over x-2026-11-10"]),
    ("set aside stays so", [_task("x", "2026-11-10", "cancelled")], _in(60), ["over x-2026-11-10"]),
    ("not there any more", [_task("y", "2026-12-01")], _in(60), ["added x 2026-12-31", "dropped y-2026-12-01"]),
    ("not for what is seen", [_task("x", "2026-12-01")], {**_in(60), **FALSE}, ["kept x-2026-12-01"]),
    ("so often in all", [_task("x", "2026-11-10", "completed"), _task("x", "2026-12-10")], MONTHLY,
     ["over x-2026-11-10", "moved x 2026-12-10", "added x 2027-01-11"]),
    ("too many", [_task("x", "2026-12-01"), _task("x", "2026-12-02")], _in(60),
     ["moved x 2026-12-31", "dropped x-2026-12-02"]),
]  # fmt: skip


@pytest.mark.parametrize(("tasks", "action", "becomes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_becomes_of_a_step(tasks: list[Tree], action: Tree, becomes: list[str]) -> None:
    step = {"id": "x", "title": "x", "definitionCanonical": "https://e.org/a", **action}
    plan: Tree = {
        "resourceType": "PlanDefinition",
        "url": "https://e.org/p",
        "version": "2",
        "title": "p",
        "action": [step],
    }
    library = Library(tuple(Source(Path("x"), tree, {"": 0}) for tree in (plan, ACTIVITY)))
    proposal = propose(
        library, plan["url"], "Patient/1", [], date(2026, 11, 30), since=date(2026, 11, 1), done=last_done(tasks)
    )

    made = move({"resourceType": "CarePlan", "id": "c"}, tasks, proposal)

    assert [
        *(f"over {one['id']}" for one in made.over),
        *(f"kept {one['id']}" for one in made.kept),
        *(f"moved {one.step.action} {one.step.due}" for one in made.moved),
        *(f"added {one.action} {one.due}" for one in made.added),
        *(f"dropped {one['id']}" for one in made.dropped),
    ] == becomes
