"""What becomes of each step of a plan whose person is of another class now, one row a case."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from liaison.protocols import codes
from liaison.protocols.apply import propose
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Source
from liaison.protocols.moving import GROUP_CHANGED, last_done, move
from liaison.protocols.regrouping import classes, regrouped

Tree = dict[str, Any]
ACTIVITY = {"resourceType": "ActivityDefinition", "url": "https://e.org/a", "version": "1", "title": "a"}
TODAY = date(2026, 11, 30)


def _variable(name: str, expression: str, **more: Any) -> Tree:
    told = {"name": name, "description": name.title(), "language": "text/fhirpath", "expression": expression, **more}
    return {"url": codes.VARIABLE, "valueExpression": told}


def _action(id_: str, condition: str = "", **more: Any) -> Tree:
    told = {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": condition}}
    timing = (
        {}
        if "action" in more
        else {"timingDuration": {"value": 60, "code": "d"}, "definitionCanonical": "https://e.org/a"}
    )
    return {"id": id_, "title": id_, **({"condition": [told]} if condition else {}), **timing, **more}


MARKED = {"extension": [{"url": codes.CLINICAL_DECISION, "valueBoolean": True}]}
PLAN: Tree = {
    "resourceType": "PlanDefinition",
    "url": "https://e.org/p",
    "version": "1",
    "title": "p",
    "extension": [
        _variable("seen", "%record.entry.resource.ofType(Observation).first().valueInteger"),
        _variable("grade", "%seen", **MARKED),
        _variable("heavy", "iif(%grade.empty(), {}, %grade > 2)"),
        _variable("gradeless", "%seen + 1"),
    ],
    "action": [
        _action("always"),
        _action("light", "%grade = 1"),
        _action("severe", "%grade = 3"),
        _action("unknown", "%grade.empty()"),
        _action("other", "%gradeless = 99"),
        _action("group", "%heavy", action=[_action("inner")]),
    ],
}  # fmt: skip


def _task(action: str, status: str = "requested", id_: str = "", why: Tree | None = None) -> Tree:
    done = {"executionPeriod": {"end": "2026-11-10"}} if status == "completed" else {}
    reason = {"statusReason": why or {"text": "Refus"}} if status == "cancelled" else {}
    return {
        "resourceType": "Task", "id": id_ or action, "meta": {"versionId": "1"}, "status": status, "description": "x",
        "instantiatesCanonical": f"https://e.org/p|1#{action}", "restriction": {"period": {"end": "2026-12-01"}},
        **done, **reason,
    }  # fmt: skip


def _proposal(grade: int | None, tasks: list[Tree], undecided: tuple[str, ...] = ()) -> Any:
    library = Library(tuple(Source(Path("x"), tree, {"": 0}) for tree in (PLAN, ACTIVITY)))
    seen = [{"resourceType": "Observation", "valueInteger": grade}] if grade is not None else []
    since, done = date(2026, 11, 1), last_done(tasks)
    return propose(library, PLAN["url"], "Patient/1", seen, TODAY, since=since, done=done, undecided=undecided)


OF_ANOTHER = {"coding": [GROUP_CHANGED], "text": "Changement de groupe : Grade = 1."}
CASES: list[tuple[str, int | None, list[Tree], list[str]]] = [
    ("the same class", 1, [_task("always"), _task("light")], ["kept always", "kept light"]),
    ("another class", 3, [_task("always"), _task("light")],
     ["kept always", "added inner", "added severe", "dropped light"]),
    ("out of a group of actions", 1, [_task("light"), _task("inner")], ["kept light", "dropped inner"]),
    ("a class that is known at last", 1, [_task("unknown")], ["added light", "dropped unknown"]),
    ("a class that is not known any more", None, [_task("light"), _task("inner")], ["kept light", "kept inner"]),
    ("what no class decides", 1, [_task("light"), _task("other")], ["kept light", "kept other"]),
    ("what was done stays done", 3, [_task("light", "completed"), _task("severe"), _task("inner")],
     ["over light", "kept severe", "kept inner"]),
    ("what somebody set aside does not come again", 1, [_task("light", "cancelled")], ["over light"]),
    ("what another class set aside does", 1, [_task("light", "cancelled", why=OF_ANOTHER)], ["over light", "added light"]),
    ("once", 1, [_task("light", "cancelled", "before", OF_ANOTHER), _task("light")], ["over before", "kept light"]),
]  # fmt: skip


@pytest.mark.parametrize(("grade", "tasks", "becomes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_becomes_of_a_step(grade: int | None, tasks: list[Tree], becomes: list[str]) -> None:
    made = regrouped({"resourceType": "CarePlan", "id": "c"}, tasks, _proposal(grade, tasks))

    assert [
        *(f"over {one['id']}" for one in made.over),
        *(f"kept {one['id']}" for one in made.kept),
        *sorted(f"added {one.action}" for one in made.added),
        *(f"dropped {one['id']}" for one in made.dropped),
    ] == becomes
    assert made.moved == ()


def test_a_class_that_is_not_computed_here_decides_nothing() -> None:
    tasks = [_task("light")]
    made = regrouped({"resourceType": "CarePlan", "id": "c"}, tasks, _proposal(3, tasks, ("grade",)))

    assert (made.kept, made.added, made.dropped) == (tuple(tasks), (), ())


def test_a_class_is_what_is_marked_and_what_is_made_of_it_by_its_whole_name() -> None:
    assert classes(PLAN) == {"grade": "Grade", "heavy": "Heavy"}


def test_a_new_version_takes_up_again_what_another_class_had_set_aside() -> None:
    """Nobody had decided against it."""
    tasks = [_task("light", "cancelled", why=OF_ANOTHER), _task("always", "cancelled")]
    made = move({"resourceType": "CarePlan", "id": "c"}, tasks, _proposal(1, tasks))

    assert [one.action for one in made.added] == ["light"]
