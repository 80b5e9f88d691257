"""What may be published beside what is out, and what a folder changes of it, in words, on its line."""

from pathlib import Path

import pytest

from liaison.protocols.library.differences import differences
from liaison.protocols.library.library import Library, load
from liaison.protocols.library.publication import judge

PLAN = """\
resourceType: PlanDefinition
url: https://example.org/PlanDefinition/walk
version: 1.0.0
title: Marcher
status: active
extension:
  - url: http://hl7.org/fhir/StructureDefinition/variable
    valueExpression: {name: heavy, language: text/fhirpath, expression: "%weight > 100"}
goal:
  - {id: hour, description: {text: Une heure}, start: {text: Admission}, target: [{measure: {text: Durée}, detailQuantity: {value: 60, unit: min}}]}
action:
  - id: group
    title: Marches
    action:
      - id: first
        title: Première
        timingDuration: {value: 7, code: d}
        definitionCanonical: https://example.org/ActivityDefinition/walk
      - id: next
        title: Suivantes
        timingTiming: {repeat: {period: 1, periodUnit: mo}}
        definitionCanonical: https://example.org/ActivityDefinition/walk
  - id: last
    title: Bilan
    relatedAction: [{actionId: next, relationship: after-end, offsetDuration: {value: 2, code: wk}}]
    definitionCanonical: https://example.org/ActivityDefinition/walk
    reason: [{text: Souffle}]
"""
ACTIVITY = """\
resourceType: ActivityDefinition
url: https://example.org/ActivityDefinition/walk
version: 1.0.0
title: Marche
status: active
participant: [{type: practitioner, role: {text: Infirmier}}]
"""


def _library(folder: Path, plan: str = PLAN, activity: str = ACTIVITY) -> Library:
    folder.mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(plan)
    (folder / "activity.yaml").write_text(activity)
    return load(folder)


NEXT = ("version: 1.0.0", "version: 1.1.0")
CHANGES = [
    ("value: 7", "value: 14", 15, "Première [first] : intervalle, « à 7 jours » → « à 14 jours »"),
    ("period: 1,", "period: 3,", 19, "Suivantes [next] : intervalle, « chaque mois » → « tous les 3 mois »"),
    ("value: 2, code: wk", "value: 1, code: a", 23, "« 2 semaines après « next » » → « 1 an après « next » »"),
    ("title: Bilan", "title: Synthèse", 23, "Synthèse [last] : titre, « Bilan » → « Synthèse »"),
    ("value: 60", "value: 45", 10, "hour : cible, « Durée 60 min » → « Durée 45 min »"),
    ("measure: {text: Durée}", "measure: {text: Temps}", 10, "cible, « Durée 60 min » → « Temps 60 min »"),
    ("start: {text: Admission}", "start: {text: Sortie}", 10, "hour : début, « Admission » → « Sortie »"),
    ("reason: [{text: Souffle}]", "reason: [{text: Coeur}]", 23, "Bilan [last] : motif, « Souffle » → « Coeur »"),
    ("weight > 100", "weight > 90", 7, "seuil ou calcul « heavy » : « %weight > 100 » → « %weight > 90 »"),
    ("id: first", "id: one", 15, "étape ajoutée : Première [one] (à 7 jours, Infirmier)"),
    ("id: first", "id: one", 12, "étape retirée : Première [first]"),
    ("  - id: last", "      - id: last", 23, "étape déplacée : Bilan [last], de «  » à « group »"),
]


@pytest.mark.parametrize(("before", "after", "line", "says"), CHANGES, ids=[says for *_, says in CHANGES])
def test_a_change_is_told_in_words_on_its_line(tmp_path: Path, before: str, after: str, line: int, says: str) -> None:
    force = _library(tmp_path / "force")
    changed = PLAN.replace(*NEXT).replace(before, after)
    if before.startswith("  - id: last"):
        head, tail = changed.split(after)
        changed = head + after + tail.replace("\n    ", "\n        ")

    told = [(one.line, one.text) for one in differences(force, _library(tmp_path / "folder", changed))]

    assert [number for number, text in told if says in text] == [line], told


def test_another_owner_is_told_of_each_step(tmp_path: Path) -> None:
    activity = ACTIVITY.replace(*NEXT).replace("Infirmier", "Kinésithérapeute")
    folder = _library(tmp_path / "folder", PLAN.replace(*NEXT), activity)

    told = [one.text for one in differences(_library(tmp_path / "force"), folder)]

    assert sum("qui, « Infirmier » → « Kinésithérapeute »" in text for text in told) == 3, told


def test_the_same_folder_changes_nothing(tmp_path: Path) -> None:
    force = _library(tmp_path / "force")

    assert differences(force, _library(tmp_path / "again")) == []
    verdict = judge(_library(tmp_path / "again"), force)
    assert (len(verdict.same), verdict.new, verdict.problems) == (2, (), ())


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("value: 7", "value: 14", 17, "published with other content at PlanDefinition.action[0].action[0]"),
        ("version: 1.0.0", "version: 0.9.9", 3, "version 1.0.0 is in force"),
        ("status: active", "status: draft", 5, "is active, or retired"),
        ("title: Marcher\n", "", 1, "published with other content at PlanDefinition.title"),
        ("resourceType: PlanDefinition", "resourceType: Patient", 1, "a Patient is no part of a protocol"),
    ],
)
def test_what_may_not_be_published_is_named_by_file_and_line(
    tmp_path: Path, before: str, after: str, line: int, says: str
) -> None:
    verdict = judge(_library(tmp_path / "folder", PLAN.replace(before, after, 1)), _library(tmp_path / "force"))

    [problem] = verdict.problems
    assert (problem.file.name, problem.line) == ("plan.yaml", line)
    assert says in problem.text
    assert verdict.new == ()


def test_versions_are_compared_as_numbers_and_the_latest_is_in_force(tmp_path: Path) -> None:
    old, new = PLAN.replace("1.0.0", "1.9.0"), PLAN.replace("1.0.0", "1.10.0")
    both = _library(tmp_path / "both", f"{new}---\n{old}")

    assert [one.tree["version"] for one in both.current() if one.tree["resourceType"] == "PlanDefinition"] == ["1.10.0"]
    assert judge(_library(tmp_path / "new", new), _library(tmp_path / "old", old)).problems == ()
