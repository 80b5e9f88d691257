"""$apply as R4 says, one row a behaviour. Expected steps and dates are written by hand; 23 November 2026 is a Monday."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from liaison.fhir.model import validate
from liaison.protocols.apply import Proposal, propose, single
from liaison.protocols.carry_out import carry_out
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Source
from liaison.protocols.proposal import CannotApply
from liaison.protocols.requests import request_of

Tree = dict[str, Any]
MONDAY = date(2026, 11, 23)
BASE = "https://example.org"
PATIENT: Tree = {"resourceType": "Patient", "id": "1", "birthDate": "1960-03-15", "gender": "female"}
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
AUTHOR = {"reference": "PractitionerRole/n"}


def _activity(name: str, **more: Any) -> Tree:
    made = {
        "resourceType": "ActivityDefinition",
        "url": f"{BASE}/ActivityDefinition/{name}",
        "version": "1",
        "title": name,
    }
    return {**made, "name": name, "status": "active", "timingDuration": _days(7), **more}


def _days(value: int, code: str = "d") -> Tree:
    return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code}


def _do(name: str, definition: str = "act", **more: Any) -> Tree:
    return {"id": name, "title": name, "definitionCanonical": f"{BASE}/ActivityDefinition/{definition}", **more}


def _when(expression: str, kind: str = "applicability") -> Tree:
    return {"condition": [{"kind": kind, "expression": {"language": "text/fhirpath", "expression": expression}}]}


def _plan(*actions: Tree, name: str = "plan", **more: Any) -> Tree:
    made = {"resourceType": "PlanDefinition", "url": f"{BASE}/PlanDefinition/{name}", "version": "1", "title": name}
    return {**made, "status": "active", "action": list(actions), **more}


def _apply(
    plan: Tree, *others: Tree, on: date = MONDAY, record: tuple[Tree, ...] = (PATIENT,), **more: Any
) -> Proposal:
    trees = (plan, _activity("act"), *others)
    library = Library(tuple(Source(Path("x"), tree, {"": 0}) for tree in trees))
    return propose(library, plan["url"], "Patient/1", record, on, **more)


def _dates(plan: Tree, *others: Tree, **more: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in _apply(plan, *others, **more).steps:
        found.setdefault(step.action, []).append(step.due.isoformat())
    return found


def _group(behavior: str, *children: Tree, **more: Any) -> Tree:
    return _plan({"id": "group", "selectionBehavior": behavior, "action": list(children), **more})


A, B, C = _do("a"), _do("b"), _do("c")
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
    ("exactly-one", (A, {**B, **_when("false")}), (), ["a"]),
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
            _apply(plan, chosen=chosen)
        assert expected in str(refused.value)
    else:
        assert sorted(step.action for step in _apply(plan, chosen=chosen).steps) == expected


def test_a_choice_that_must_be_made_stays_open_by_name() -> None:
    assert _apply(_group("exactly-one", A, B)).open == (
        "action 'group', selectionBehavior: one of a, b is to be chosen",
    )


def test_what_must_be_done_unless_documented() -> None:
    plan = _group("any", {**A, "requiredBehavior": "must-unless-documented"}, B)

    assert sorted(_dates(plan, chosen=("b",))) == ["a", "b"]
    assert sorted(_dates(plan, chosen=("b",), declined=("a",))) == ["b"]
    with pytest.raises(CannotApply, match="requiredBehavior: it must be done"):
        _apply(_group("any", {**A, **MUST}, B), declined=("a",))


CONDITIONS = [
    (_when("%patient.gender = 'female'"), True),
    (_when("%patient.gender = 'male'"), False),
    (_when("gender = 'female'"), True),
    (_when("%context.id = 'e'"), True),
    (_when("%resource.title = 'plan'"), True),
    (_when("%practitioner.id = 'p'"), True),
    (_when("%userType.coding.code = 'nurse'"), True),
    (_when("%old"), True),
    (_when("%grown"), True),
    (_when("true", "start"), True),
    (_when("false", "start"), False),
    (_when("true", "stop"), False),
    (_when("false", "stop"), True),
]


@pytest.mark.parametrize(("condition", "applies"), CONDITIONS, ids=[str(one["condition"][0]) for one, _ in CONDITIONS])
def test_conditions_and_what_they_know(condition: Tree, applies: bool) -> None:
    """A named query of a Library, a variable of the plan, the parameters of the operation."""
    variable = "http://hl7.org/fhir/StructureDefinition/variable"

    def named(name: str, text: str) -> Tree:
        return {"url": variable, "valueExpression": {"name": name, "language": "text/fhirpath", "expression": text}}

    query: Tree = {"resourceType": "Library", "url": f"{BASE}/Library/q", "version": "1"}
    query["extension"] = [named("old", "birthDate < @1970-01-01")]
    plan = _plan({**A, **condition}, library=[f"{BASE}/Library/q"], extension=[named("grown", "%old and true")])
    context = {
        "encounter": {"resourceType": "Encounter", "id": "e"},
        "practitioner": {"resourceType": "Practitioner", "id": "p"},
        "userType": {"coding": [{"code": "nurse"}]},
    }

    proposal = _apply(plan, query, context=context)

    assert bool(proposal.steps) is applies
    assert [one.action for one in proposal.skipped] == ([] if applies else ["a"])


TIMINGS = [
    ({"timingDateTime": "2027-02-03"}, ["2027-02-03"]),
    ({"timingAge": _days(67, "a")}, ["2027-03-15"]),
    ({"timingPeriod": {"start": "2027-01-04", "end": "2027-01-29"}}, ["2027-01-29"]),
    ({"timingDuration": _days(2, "wk")}, ["2026-12-07"]),
    ({"timingRange": {"low": _days(7), "high": _days(14)}}, ["2026-12-07"]),
    ({"timingTiming": {"event": ["2027-03-01", "2027-02-01"]}}, ["2027-02-01", "2027-03-01"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "wk", "count": 3}}},
     ["2026-11-30", "2026-12-07", "2026-12-14"]),
    ({"timingTiming": {"repeat": {"frequency": 2, "period": 2, "periodUnit": "wk", "count": 3}}},
     ["2026-11-30", "2026-12-07", "2026-12-14"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "wk", "count": 2, "dayOfWeek": ["thu"]}}},
     ["2026-12-03", "2026-12-10"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo", "boundsDuration": _days(3, "mo")}}},
     ["2026-12-23", "2027-01-25", "2027-02-23"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo",
                                  "boundsPeriod": {"start": "2027-01-01", "end": "2027-03-02"}}}},
     ["2027-02-01", "2027-03-01"]),
    ({}, ["2026-11-30"]),  # the ActivityDefinition's own
    ({"timingDateTime": "2026-12-25"}, ["2026-12-28"]),  # Christmas is a Friday
]  # fmt: skip


@pytest.mark.parametrize(("timing", "due"), TIMINGS, ids=[str(timing) for timing, _ in TIMINGS])
def test_timing_of_every_kind(timing: Tree, due: list[str]) -> None:
    assert _dates(_plan({**A, **timing})) == {"a": due}


def test_the_days_on_which_the_person_does_not_come_are_left_out() -> None:
    url = "https://liaison.example/fhir/StructureDefinition/not-on"
    patient = {**PATIENT, "extension": [{"url": url, "valueCode": code} for code in ("mon", "wed")]}

    assert _dates(_plan({**A, "timingDateTime": "2026-12-07"}), record=(patient,)) == {"a": ["2026-12-08"]}


# `base` is open from 1 to 11 December 2026.
BASED = _do("base", timingPeriod={"start": "2026-12-01", "end": "2026-12-11"})
RELATIONS = [
    ("before-start", {"offsetDuration": _days(1)}, (None, "2026-11-30")),
    ("before", {"offsetDuration": _days(4)}, (None, "2026-11-27")),
    ("before-end", {"offsetDuration": _days(1)}, (None, "2026-12-10")),
    ("concurrent-with-start", {}, (None, "2026-12-01")),
    ("concurrent", {}, ("2026-12-01", "2026-12-11")),
    ("concurrent-with-end", {}, (None, "2026-12-11")),
    ("after-start", {"offsetDuration": _days(1, "wk")}, (None, "2026-12-08")),
    ("after", {"offsetDuration": _days(3)}, (None, "2026-12-14")),
    ("after-end", {"offsetDuration": _days(1, "mo")}, (None, "2027-01-11")),
    ("after-end", {"offsetRange": {"low": _days(3), "high": _days(10)}}, ("2026-12-14", "2026-12-21")),
    ("before-start", {"offsetRange": {"low": _days(1), "high": _days(5)}}, ("2026-11-26", "2026-11-30")),
]


@pytest.mark.parametrize(("relation", "offset", "window"), RELATIONS, ids=[f"{r} {o}" for r, o, _ in RELATIONS])
@pytest.mark.parametrize("first", [True, False], ids=["after it in the file", "before it"])
def test_related_actions(relation: str, offset: Tree, window: tuple[str | None, str], first: bool) -> None:
    related = {**A, "relatedAction": [{"actionId": "base", "relationship": relation, **offset}]}

    [step] = [
        one for one in _apply(_plan(*((BASED, related) if first else (related, BASED)))).steps if one.action == "a"
    ]

    assert (step.opens.isoformat() if step.opens else None, step.due.isoformat()) == window


def _after(name: str, *others: str, relation: str = "after", **more: Any) -> Tree:
    return _do(name, relatedAction=[{"actionId": one, "relationship": relation} for one in others], **more)


def test_after_several_the_latest_counts_and_after_a_group_its_last() -> None:
    early, late = _do("early", timingDateTime="2026-12-01"), _do("late", timingDateTime="2026-12-15")
    group = {"id": "group", "action": [early, late]}

    assert _dates(_plan(group, _after("a", "early", "late"), _after("b", "group")))["a"] == ["2026-12-15"]
    assert _dates(_plan(group, _after("b", "group")))["b"] == ["2026-12-15"]
    assert _dates(_plan(group, _after("b", "late", relation="before"), _after("a", "early")))["b"] == ["2026-12-15"]


REFUSED: list[tuple[tuple[Tree, ...], str]] = [
    ((_after("a", "b"), _after("b", "a")), "action 'a', relatedAction: a cycle: a → b → a"),
    ((BASED, _after("a", "base", relation="around")), "action 'a', relatedAction.relationship: 'around'"),
    ((_do("a", "none"),), "action 'a', definitionCanonical: not in the library"),
    (({**A, "dynamicValue": [{"path": "priority"}]},), "action 'a', dynamicValue[0]: a path and an expression"),
    (({"title": "x"},), "id: an action needs an id"),
]


@pytest.mark.parametrize(("actions", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_cannot_be_applied_is_named_by_action_and_element(actions: tuple[Tree, ...], says: str) -> None:
    with pytest.raises(CannotApply) as refused:
        _apply(_plan(*actions))
    assert says in str(refused.value)


def test_who_does_not_apply_takes_along_what_follows_it() -> None:
    assert _dates(_plan({**A, **_when("false")}, _after("b", "a"))) == {}


def _inner(name: str, *actions: Tree, **more: Any) -> tuple[Tree, Tree]:
    """(the action that stands for it, the definition)."""
    return {"id": name, "definitionCanonical": f"{BASE}/PlanDefinition/{name}"}, _plan(*actions, name=name, **more)


def test_a_definition_within_a_definition_with_its_goals() -> None:
    goal = {"id": "walk", "description": {"text": "Marcher"}}
    action, inner = _inner("inner", {**A, "goalId": ["walk"]}, _after("b", "a"), goal=[goal])

    proposal = _apply(_plan(action, _after("last", "inner")), inner)

    assert [step.action for step in proposal.steps] == ["inner.a", "inner.b", "last"]
    assert {step.due.isoformat() for step in proposal.steps} == {"2026-11-30"}


def test_a_definition_that_stands_in_itself_is_refused_by_name() -> None:
    first, one = _inner("one", {"id": "x", "definitionCanonical": f"{BASE}/PlanDefinition/two"})
    _, two = _inner("two", first)

    with pytest.raises(CannotApply, match=r"a cycle: .*/plan\|1 → .*/one\|1 → .*/two\|1 → .*/one\|1"):
        _apply(_plan(first), one, two)


def _bundle(plan: Tree, *others: Tree) -> list[Tree]:
    return [one["resource"] for one in carry_out(_apply(plan, *others), AUTHOR, AT)["entry"]]


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
    activity = _activity(
        "kind", kind=kind, intent="order", dynamicValue=[told] if kind != "Appointment" else [], **more
    )
    found = _bundle(_plan(_do("a", "kind")), activity)

    [made] = [one for one in found if one["resourceType"] == kind]
    [task] = [one for one in found if one["resourceType"] == "Task"]
    [group] = [one for one in found if one["resourceType"] == "RequestGroup"]
    assert {name: made[name] for name in expected} == expected
    assert kind == "Appointment" or made["priority"] == "urgent"
    assert group["action"][0]["resource"] == task["focus"]
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
        _bundle(_plan(_do("a", "kind")), _activity("kind", **more))


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
    activity = _activity("dynamic", dynamicValue=[_set("description", "'définition'")])
    [task] = [
        one
        for one in _bundle(_plan(_do("a", "dynamic", dynamicValue=[value])), activity)
        if one["resourceType"] == "Task"
    ]

    assert {name: task[name] for name in expected} == expected
    assert "description" in expected or task["description"] == "définition"


@pytest.mark.parametrize("path", ["note[7].text", "priority.text", "a b", ""])
def test_a_path_that_cannot_be_followed_is_named(path: str) -> None:
    with pytest.raises(CannotApply, match="action 'a', dynamicValue"):
        _bundle(_plan({**A, "dynamicValue": [_set(path, "'x'")]}))


def test_the_request_group_has_the_structure_that_was_chosen() -> None:
    """Groups with their behaviours, the steps of a recurring action, and relations between what is there."""
    weekly = {"repeat": {"period": 1, "periodUnit": "wk", "count": 2}}
    group = {
        "id": "group",
        "title": "Marches",
        "groupingBehavior": "visual-group",
        "selectionBehavior": "any",
        "action": [{**A, **CHECKED, "timingTiming": weekly}, B, {**_after("c", "a"), **CHECKED}],
    }
    found = _bundle(_plan(group, {**C, "id": "gone", **_when("false")}))

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
    activity = _activity("act2", participant=[nurse])
    plan = _plan(_do("a", "act2"), _do("b", "act2", participant=[self_]), _do("c"))

    owners = {one.action: one.owner for one in _apply(plan, activity, record=(PATIENT, team)).steps}

    assert owners == {"a": {"reference": "PractitionerRole/n"}, "b": {"reference": "Patient/1"}, "c": None}
