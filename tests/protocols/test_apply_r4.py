"""$apply as R4 says, one row a behaviour. Expected steps and dates are written by hand; 23 November 2026 is a Monday."""

from pathlib import Path
from typing import Any

import pytest

from liaison.fhir.model import validate
from liaison.protocols.apply import single
from liaison.protocols.carry_out import carry_out
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Source
from liaison.protocols.proposal import CannotApply
from liaison.protocols.requests import request_of

from .definitions import (
    AT,
    AUTHOR,
    BASE,
    BASED,
    MONDAY,
    PATIENT,
    A,
    B,
    C,
    Tree,
    a_plan,
    after,
    an_activity,
    applied,
    dates,
    days,
    do,
    when,
)


def _group(behavior: str, *children: Tree, **more: Any) -> Tree:
    return a_plan({"id": "group", "selectionBehavior": behavior, "action": list(children), **more})


CHECKED, MUST = {"precheckBehavior": "yes"}, {"requiredBehavior": "must"}
SELECTIONS: list[tuple[str, tuple[Tree, ...], tuple[str, ...], list[str] | str]] = [
    ("all", (A, B), (), ["a", "b"]),
    ("any", (A, B), (), ["a", "b"]),
    ("any", (A, B), ("b",), ["b"]),
    ("any", ({**A, **CHECKED}, B), (), ["a"]),
    ("any", ({**A, "precheckBehavior": "no"}, B), (), []),
    ("any", ({**A, **MUST}, B, C), ("b",), ["a", "b"]),
    ("all-or-none", (A, B), (), ["a", "b"]),
    ("all-or-none", (A, B), ("a",), "all-or-none, and 1 of 2 are chosen"),
    ("exactly-one", (A, B), ("b",), ["b"]),
    ("exactly-one", ({**A, **CHECKED}, B), (), ["a"]),
    ("exactly-one", (A, {**B, **when("false")}), (), ["a"]),
    ("exactly-one", (A, B), ("a", "b"), "exactly-one, and 2 of 2 are chosen"),
    ("at-most-one", (A, B), (), []),
    ("at-most-one", (A, B), ("a",), ["a"]),
    ("at-most-one", (A, B), ("a", "b"), "at-most-one, and 2 of 2 are chosen"),
    ("one-or-more", (A, B), (), ["a", "b"]),
    ("one-or-more", (A, B), ("a",), ["a"]),
    ("some", (A, B), (), "selectionBehavior: 'some' is none of"),
    ("any", (A, B), ("z",), "action 'z', id: there is no such action"),
    ("any", (A, B), ("a", "a"), "action 'a', cardinalityBehavior: it may be chosen once"),
    ("any", ({**A, "cardinalityBehavior": "multiple"}, B), ("a", "a"), ["a", "a"]),
]


@pytest.mark.parametrize(("behavior", "children", "chosen", "expected"), SELECTIONS)
def test_selection(
    behavior: str, children: tuple[Tree, ...], chosen: tuple[str, ...], expected: list[str] | str
) -> None:
    plan = _group(behavior, *children)
    if isinstance(expected, str):
        with pytest.raises(CannotApply) as refused:
            applied(plan, chosen=chosen)
        assert expected in str(refused.value)
    else:
        assert sorted(step.action for step in applied(plan, chosen=chosen).steps) == expected


def test_a_choice_that_must_be_made_stays_open_by_name() -> None:
    assert applied(_group("exactly-one", A, B)).open == (
        "action 'group', selectionBehavior: one of a, b is to be chosen",
    )


def test_what_must_be_done_unless_documented() -> None:
    plan = _group("any", {**A, "requiredBehavior": "must-unless-documented"}, B)

    assert sorted(dates(plan, chosen=("b",))) == ["a", "b"]
    assert sorted(dates(plan, chosen=("b",), declined=("a",))) == ["b"]
    with pytest.raises(CannotApply, match="requiredBehavior: it must be done"):
        applied(_group("any", {**A, **MUST}, B), declined=("a",))


CONDITIONS = [
    (when("%patient.gender = 'female'"), True),
    (when("%patient.gender = 'male'"), False),
    (when("gender = 'female'"), True),
    (when("%context.id = 'e'"), True),
    (when("%resource.title = 'plan'"), True),
    (when("%practitioner.id = 'p'"), True),
    (when("%userType.coding.code = 'nurse'"), True),
    (when("%old"), True),
    (when("%grown"), True),
    (when("true", "start"), True),
    (when("false", "start"), False),
    (when("true", "stop"), False),
    (when("false", "stop"), True),
]


@pytest.mark.parametrize(("condition", "applies"), CONDITIONS, ids=[str(one["condition"][0]) for one, _ in CONDITIONS])
def test_conditions_and_what_they_know(condition: Tree, applies: bool) -> None:
    """A named query of a Library, a variable of the plan, the parameters of the operation."""
    variable = "http://hl7.org/fhir/StructureDefinition/variable"

    def named(name: str, text: str) -> Tree:
        return {"url": variable, "valueExpression": {"name": name, "language": "text/fhirpath", "expression": text}}

    query: Tree = {"resourceType": "Library", "url": f"{BASE}/Library/q", "version": "1"}
    query["extension"] = [named("old", "birthDate < @1970-01-01")]
    plan = a_plan({**A, **condition}, library=[f"{BASE}/Library/q"], extension=[named("grown", "%old and true")])
    context = {
        "encounter": {"resourceType": "Encounter", "id": "e"},
        "practitioner": {"resourceType": "Practitioner", "id": "p"},
        "userType": {"coding": [{"code": "nurse"}]},
    }

    proposal = applied(plan, query, context=context)

    assert bool(proposal.steps) is applies
    assert [one.action for one in proposal.skipped] == ([] if applies else ["a"])


def test_a_goal_needs_no_id_and_its_target_a_unit() -> None:
    goal: Tree = {
        "description": {"text": "Marcher"},
        "target": [{"detailCodeableConcept": {"text": "une heure"}, "due": days(3, "mo")}],
    }
    bundle = carry_out(applied(a_plan(A, goal=[goal, goal])), AUTHOR, AT)
    goals = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Goal"]

    assert [one["target"][0]["dueDate"] for one in goals] == ["2027-02-23", "2027-02-23"]
    assert {one["startDate"] for one in goals} == {MONDAY.isoformat()}
    begins = {"coding": [{"system": "http://snomed.info/sct", "code": "32485007"}], "text": "À l'admission"}
    [started] = [
        one["resource"]
        for one in carry_out(applied(a_plan(A, goal=[{**goal, "target": [], "start": begins}])), AUTHOR, AT)["entry"]
        if one["resource"]["resourceType"] == "Goal"
    ]
    validate(started, "Goal")
    assert started["startCodeableConcept"] == begins
    assert "startDate" not in started
    with pytest.raises(CannotApply, match=r"goal\.target\.due"):
        carry_out(
            applied(
                a_plan(A, goal=[{**goal, "target": [{"detailCodeableConcept": {"text": "x"}, "due": days(3, "ms")}]}])
            ),
            AUTHOR,
            AT,
        )


REFUSED: list[tuple[tuple[Tree, ...], str]] = [
    ((after("a", "b"), after("b", "a")), "action 'a', relatedAction: a cycle: a → b → a"),
    ((BASED, after("a", "base", relation="around")), "action 'a', relatedAction.relationship: 'around'"),
    ((do("a", "none"),), "action 'a', definitionCanonical: not in the library"),
    (({**A, "dynamicValue": [{"path": "priority"}]},), "action 'a', dynamicValue[0]: a path and an expression"),
    (({"title": "x"},), "id: an action needs an id"),
    (({**A, "timingDuration": days(2, "ms")},), "action 'a', timing: a protocol counts in d, wk, mo, a, not in 'ms'"),
    (({**A, "timingDuration": {"value": 2, "unit": "wk"}},), "action 'a', timing: a protocol counts in"),
    (({**A, "timingTiming": {"repeat": {"frequency": 2}}},), "action 'a', timing: how often is not said"),
    (({**A, "condition": [{"kind": "stop"}]},), "action 'a', condition[0].expression: an expression in text/fhirpath"),
    (({**A, **when("1 +")},), "action 'a', condition[0].expression: FHIRPath: column 4"),
    (
        ({**A, "dynamicValue": [{"path": "priority", "expression": {"language": "text/cql", "expression": "1"}}]},),
        "action 'a', dynamicValue[0].expression: an expression in text/fhirpath",
    ),
    (({"id": "g", "action": [A], "timingTiming": {"event": ["2027-01-01"]}},), "action 'g', timingTiming: a group"),
]


@pytest.mark.parametrize(("actions", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_cannot_be_applied_is_named_by_action_and_element(actions: tuple[Tree, ...], says: str) -> None:
    with pytest.raises(CannotApply) as refused:
        applied(a_plan(*actions))
    assert says in str(refused.value)


def test_who_does_not_apply_takes_along_what_follows_it() -> None:
    assert dates(a_plan({**A, **when("false")}, after("b", "a"))) == {}


def _inner(name: str, *actions: Tree, **more: Any) -> tuple[Tree, Tree]:
    """(the action that stands for it, the definition)."""
    return {"id": name, "definitionCanonical": f"{BASE}/PlanDefinition/{name}"}, a_plan(*actions, name=name, **more)


def test_a_definition_within_a_definition_with_its_goals() -> None:
    goal = {"id": "walk", "description": {"text": "Marcher"}}
    action, inner = _inner("inner", {**A, "goalId": ["walk"]}, after("b", "a"), goal=[goal])

    proposal = applied(a_plan(action, after("last", "inner")), inner)

    assert [step.action for step in proposal.steps] == ["inner.a", "inner.b", "last"]
    assert {step.due.isoformat() for step in proposal.steps} == {"2026-11-30"}


def test_a_definition_that_stands_in_itself_is_refused_by_name() -> None:
    first, one = _inner("one", {"id": "x", "definitionCanonical": f"{BASE}/PlanDefinition/two"})
    _, two = _inner("two", first)

    with pytest.raises(CannotApply, match=r"a cycle: .*/plan\|1 → .*/one\|1 → .*/two\|1 → .*/one\|1"):
        applied(a_plan(first), one, two)


def _bundle(plan: Tree, *others: Tree) -> list[Tree]:
    return [one["resource"] for one in carry_out(applied(plan, *others), AUTHOR, AT)["entry"]]


KINDS: list[tuple[str, Tree, Tree]] = [
    ("ServiceRequest", {"code": {"text": "Spirométrie"}}, {"intent": "order", "occurrenceDateTime": "2026-11-30"}),
    ("Appointment", {}, {"status": "proposed", "requestedPeriod": [{"start": "2026-11-30", "end": "2026-11-30"}]}),
    ("CommunicationRequest", {}, {"status": "active", "recipient": [{"reference": "Patient/1"}]}),
    ("DeviceRequest", {"productCodeableConcept": {"text": "Oxymètre"}}, {"codeCodeableConcept": {"text": "Oxymètre"}}),
    ("MedicationRequest", {"productCodeableConcept": {"text": "X"}}, {"status": "draft"}),
    ("SupplyRequest", {"productCodeableConcept": {"text": "X"}, "quantity": {"value": 2}}, {"quantity": {"value": 2}}),
]


@pytest.mark.parametrize(("kind", "more", "expected"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_a_definition_makes_the_request_of_its_kind_and_its_task(kind: str, more: Tree, expected: Tree) -> None:
    told = {"path": "priority", "expression": {"language": "text/fhirpath", "expression": "'urgent'"}}
    activity = an_activity(
        "kind", kind=kind, intent="order", dynamicValue=[told] if kind != "Appointment" else [], **more
    )
    why = [{"text": "Essoufflement"}, {"text": "Chute"}]
    found = _bundle(a_plan(do("a", "kind", reason=why)), activity)

    [made] = [one for one in found if one["resourceType"] == kind]
    [task] = [one for one in found if one["resourceType"] == "Task"]
    [group] = [one for one in found if one["resourceType"] == "RequestGroup"]
    assert {name: made[name] for name in expected} == expected
    assert kind == "Appointment" or made["priority"] == "urgent"
    assert group["action"][0]["resource"] == task["focus"]
    assert (made["reasonCode"], task["reasonCode"]) == (why, why[0])  # R4: a Task has one
    for tree in found:
        validate(tree, tree["resourceType"])
    library = Library((Source(Path("x"), activity, {"": 0}),))
    alone = request_of(single(library, activity, "Patient/1", [PATIENT], MONDAY), "Patient/1", AUTHOR, AT)
    assert alone is not None
    validate(alone, kind)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"kind": "Contract"}, "action 'a', kind: a Contract is not made here"),
        ({"kind": "SupplyRequest"}, "action 'a', quantity: a SupplyRequest needs it"),
        ({"kind": "MedicationRequest"}, "action 'a', productCodeableConcept: a MedicationRequest needs it"),
    ],
)
def test_a_kind_that_cannot_be_made_is_named(more: Tree, says: str) -> None:
    with pytest.raises(CannotApply, match=says):
        _bundle(a_plan(do("a", "kind")), an_activity("kind", **more))


def _set(path: str, text: str) -> Tree:
    return {"path": path, "expression": {"language": "text/fhirpath", "expression": text}}


DYNAMIC: list[tuple[Tree, Tree]] = [
    (_set("description", "'Pour ' + %patient.gender"), {"description": "Pour female"}),
    (_set("Task.priority", "iif(%patient.gender = 'female', 'asap', 'routine')"), {"priority": "asap"}),
    (_set("note[0].text", "'dit'"), {"note": [{"text": "dit"}]}),
    (_set("priority", "{}"), {"priority": "routine"}),
]


@pytest.mark.parametrize(("value", "expected"), DYNAMIC, ids=[one["path"] for one, _ in DYNAMIC])
def test_dynamic_values_of_an_action_go_before_those_of_its_definition(value: Tree, expected: Tree) -> None:
    activity = an_activity("dynamic", dynamicValue=[_set("description", "'définition'")])
    [task] = [
        one
        for one in _bundle(a_plan(do("a", "dynamic", dynamicValue=[value])), activity)
        if one["resourceType"] == "Task"
    ]

    assert {name: task[name] for name in expected} == expected
    assert "description" in expected or task["description"] == "définition"


@pytest.mark.parametrize("path", ["note[7].text", "priority.text", "a b", ""])
def test_a_path_that_cannot_be_followed_is_named(path: str) -> None:
    with pytest.raises(CannotApply, match="action 'a', dynamicValue"):
        _bundle(a_plan({**A, "dynamicValue": [_set(path, "'x'")]}))


def test_the_request_group_has_the_structure_that_was_chosen() -> None:
    """Groups with their behaviours, the steps of a recurring action, and relations between what is there."""
    weekly = {"repeat": {"period": 1, "periodUnit": "wk", "count": 2}}
    group = {
        "id": "group",
        "title": "Marches",
        "groupingBehavior": "visual-group",
        "selectionBehavior": "any",
        "action": [{**A, **CHECKED, "timingTiming": weekly}, B, {**after("c", "a"), **CHECKED}],
    }
    found = _bundle(a_plan(group, {**C, "id": "gone", **when("false")}))

    [request_group] = [one for one in found if one["resourceType"] == "RequestGroup"]
    [made] = request_group["action"]
    assert (made["groupingBehavior"], made["selectionBehavior"]) == ("visual-group", "any")
    assert [one["id"] for one in made["action"]] == ["a", "c"]
    assert len(made["action"][0]["action"]) == 2
    assert made["action"][1]["relatedAction"] == [{"actionId": "a", "relationship": "after"}]
    validate(request_group, "RequestGroup")


def test_participants_are_people_of_the_team_the_person_themself_or_nobody() -> None:
    role = {"coding": [{"system": f"{BASE}/roles", "code": "nurse"}]}
    member = {"role": [role], "member": {"reference": "PractitionerRole/n"}}
    team = {"resourceType": "CareTeam", "status": "active", "participant": [member]}
    nurse, self_ = {"type": "practitioner", "role": role}, {"type": "patient"}
    activity = an_activity("act2", participant=[nurse])
    plan = a_plan(do("a", "act2"), do("b", "act2", participant=[self_]), do("c"))

    owners = {one.action: one.owner for one in applied(plan, activity, record=(PATIENT, team)).steps}

    assert owners == {"a": {"reference": "PractitionerRole/n"}, "b": {"reference": "Patient/1"}, "c": None}
