"""The shipped library has no problem, and each kind of fault is reported with its file and line."""

from pathlib import Path

import pytest

from liaison.fhir.model import validate
from liaison.protocols import library
from liaison.protocols.library.source import Malformed
from liaison.services.library.publishing import ROLE_CODES

PLAN = """\
resourceType: PlanDefinition
url: https://example.org/PlanDefinition/walk
version: 1.0.0
title: Marcher
status: active
date: "2026-09-15"
publisher: Une maison de santé
approvalDate: "2026-09-15"
lastReviewDate: "2026-09-15"
relatedArtifact:
  - {type: citation, label: livre, display: Un livre}
goal:
  - {id: but, description: {text: Marcher une heure}}
action:
  - id: step
    title: Marcher
    goalId: [but]
    documentation: [{type: citation, label: livre}]
    timingDuration: {value: 7, unit: jours, system: "http://unitsofmeasure.org", code: d}
    definitionCanonical: https://example.org/ActivityDefinition/walk
"""
TIMED = 'timingDuration: {value: 7, unit: jours, system: "http://unitsofmeasure.org", code: d}'
ACTIVITY = """\
resourceType: ActivityDefinition
url: https://example.org/ActivityDefinition/walk
version: 1.0.0
title: Marcher
status: active
date: "2026-09-15"
publisher: Une maison de santé
approvalDate: "2026-09-15"
lastReviewDate: "2026-09-15"
participant: [{type: patient, role: {text: La personne}}]
"""
OWNED = """\
status: active
date: "2026-09-15"
publisher: Une maison de santé
"""
ROLES = frozenset({"nurse"})


def _problems(folder: Path, plan: str = PLAN, activity: str = ACTIVITY) -> list[tuple[str, int, str]]:
    (folder / "plan.yaml").write_text(plan)
    (folder / "activity.yaml").write_text(activity)
    return [(found.file.name, found.line, found.text) for found in library.check(library.load(folder), roles=ROLES)]


def test_the_shipped_library_has_no_problem() -> None:
    assert [str(problem) for problem in library.check(library.shipped(), roles=ROLE_CODES)] == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("%patient.birthDate <= %on and %weight > '%nothing' // %none", ""),
        ("%weigth > 70", "FHIRPath: nothing gives %weigth a value"),
        ("%`weigth` > 70", "FHIRPath: nothing gives %weigth a value"),
        ("%sct = %'vs-x'", ""),
        ("%value > 70", "FHIRPath: nothing gives %value a value"),  # of a signal alone
    ],
)
def test_a_variable_that_nothing_gives_a_value_is_named(tmp_path: Path, more: str, says: str) -> None:
    expression = f'[{{kind: applicability, expression: {{language: text/fhirpath, expression: "{more}"}}}}]'
    weight = """\
extension:
  - url: http://hl7.org/fhir/StructureDefinition/variable
    valueExpression: {name: weight, language: text/fhirpath, expression: "1"}
"""
    plan = f"{PLAN}    condition: {expression}\n{weight}"
    assert _problems(tmp_path, plan) == ([("plan.yaml", 21, says)] if says else [])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("kind: Task\n", ""),
        ("kind: Contract\n", "a Contract is not made here"),
        ("code: {coding: [{system: https://example.org/CodeSystem/steps, code: walk}]}\n", "no code 'walk'"),
        ("code: {coding: [{system: http://snomed.info/sct, code: walk}]}\n", ""),
    ],
)
def test_what_an_activity_names_exists(tmp_path: Path, more: str, says: str) -> None:
    (tmp_path / "codes.yaml").write_text(
        f"resourceType: CodeSystem\nurl: https://example.org/CodeSystem/steps\nversion: 1.0.0\ntitle: Pas\n{OWNED}"
        "concept: [{code: other}]\n"
    )
    assert [text[: len(says)] for *_, text in _problems(tmp_path, activity=ACTIVITY + more)] == ([says] if says else [])


@pytest.mark.parametrize(("code", "says"), [("nurse", []), ("nurze", ["no role 'nurze'"])])
def test_a_role_that_nobody_has_is_named(tmp_path: Path, code: str, says: list[str]) -> None:
    role = f'role: {{coding: [{{system: "https://liaison.example/fhir/CodeSystem/role", code: {code}}}]}}'
    activity = ACTIVITY.replace("role: {text: La personne}", role)
    assert [text for *_, text in _problems(tmp_path, activity=activity)] == says


def test_the_shipped_library_holds_the_bpco_protocol_and_the_visit_form() -> None:
    shipped = library.shipped()

    assert {tree["title"] for tree in shipped.of_type("PlanDefinition")} >= {"Suivi de la BPCO"}
    assert shipped.find("https://liaison.example/fhir/Questionnaire/home-visit") is not None
    assert shipped.find("https://liaison.example/fhir/Questionnaire/home-visit|9.9.9") is None


def test_a_protocol_written_from_scratch_passes(tmp_path: Path) -> None:
    assert _problems(tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("title: Marcher\nstatus", "status", 1, "title is missing"),
        ('approvalDate: "2026-09-15"\n', "", 1, "approvalDate is missing"),
        ("  - {type: citation, label: livre, display: Un livre}", "  - {type: depends-on}", 11, "names its sources"),
        ("goalId: [but]", "goalId: [autre]", 17, "no goal 'autre'"),
        (
            "documentation: [{type: citation, label: livre}]",
            "documentation: [{type: citation, label: x}]",
            18,
            "no source",
        ),
        ("ActivityDefinition/walk", "ActivityDefinition/run", 20, "not in the library"),
        ("timingDuration", "textEquivalent", 15, "needs a date"),
        ("  - id: step", "  - id: ''", 15, "an id of its own"),
        ("code: d}", "code: ms}", 19, "not in 'ms'"),
        ("Marcher une heure}", "Marcher}, target: [{detailQuantity: {value: 60}}]", 13, "names its measure"),
        (', system: "http://unitsofmeasure.org", code: d}', "}", 19, "not in ''"),
        (TIMED, "timingTiming: {repeat: {frequency: 2}}", 19, "how often is not said"),
        (TIMED, "timingTiming: {repeat: {period: 1, periodUnit: fortnight}}", 19, "how often is not said"),
        (TIMED, "timingTiming: {code: {text: QD}}", 19, "how often is not said"),
        (TIMED, f"{TIMED}\n    condition: [{{kind: start}}]", 20, "an expression in text/fhirpath is needed"),
        (
            TIMED,
            f"{TIMED}\n    condition: [{{kind: stop, expression: {{language: text/cql, expression: x}}}}]",
            20,
            "text/fhirpath",
        ),
        (TIMED, f"{TIMED}\n    dynamicValue: [{{path: priority}}]", 20, "an expression in text/fhirpath is needed"),
    ],
)
def test_a_fault_is_reported_on_its_line(tmp_path: Path, before: str, after: str, line: int, says: str) -> None:
    assert before in PLAN

    problems = _problems(tmp_path, PLAN.replace(before, after))

    assert [(file, number) for file, number, text in problems if says in text] == [("plan.yaml", line)]


def test_fhirpath_that_cannot_be_parsed_is_reported_on_its_line(tmp_path: Path) -> None:
    condition = 'condition: [{kind: applicability, expression: {language: text/fhirpath, expression: "1 ="}}]'
    plan = PLAN.replace("    title: Marcher\n    goalId", f"    title: Marcher\n    {condition}\n    goalId")

    assert [(line, text[:8]) for _, line, text in _problems(tmp_path, plan)] == [(17, "FHIRPath")]


def test_the_same_canonical_twice_is_refused(tmp_path: Path) -> None:
    problems = _problems(tmp_path, PLAN + "---\n" + PLAN)

    assert any("is also in plan.yaml" in text for _, _, text in problems)


def test_r4_problems_come_with_their_line(tmp_path: Path) -> None:
    from liaison.fhir.errors import Issue, Unprocessable

    def refuse(tree: dict[str, object], type_: str | None) -> None:
        if type_ == "PlanDefinition":
            raise Unprocessable(issues=[Issue("value", "not a code", "PlanDefinition.action[0].title")])

    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "activity.yaml").write_text(ACTIVITY)

    found = library.check(library.load(tmp_path), refuse)

    assert [(problem.line, problem.text) for problem in found] == [(16, "R4: not a code")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("resourceType: Patient\nresourceType: Patient\n", 2),
        ("resourceType: [\n", 2),
        ("- 1\n", 1),
    ],
)
def test_what_is_not_a_resource_in_yaml_names_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "bad.yaml").write_text(text)

    with pytest.raises(Malformed) as caught:
        library.load(tmp_path)

    assert caught.value.problem.line == line


def test_yaml_words_stay_words(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("resourceType: Basic\na: no\nb: 2026-01-02\nc: true\nd: 1.50\ne: '3'\nf: 3\n")

    (source,) = library.load(tmp_path)

    assert source.tree == {"resourceType": "Basic", "a": "no", "b": "2026-01-02", "c": True, "d": 1.5, "e": "3", "f": 3}


def test_a_decimal_of_a_protocol_is_a_number_of_r4(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("value: 7, unit: jours", "value: 1.5, unit: jours"))
    (tmp_path / "activity.yaml").write_text(ACTIVITY)
    assert library.check(library.load(tmp_path), validate) == []
