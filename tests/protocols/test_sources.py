"""Each source of the library that nobody has read again is marked so wherever it is told of."""

from pathlib import Path
from typing import Any

from liaison.protocols import library
from liaison.protocols.sources import sources

MARK = "liaison.example/fhir/StructureDefinition/unverified"


def test_every_mark_that_the_files_have_is_told_and_no_other() -> None:
    files = Path(library.__file__).parent.rglob("*.yaml")
    written = sum(file.read_text().count(MARK) for file in files)
    told = [one for source in library.shipped() for one in sources(source.tree)]

    assert written > 10
    assert sum(one.unverified for one in told) == written
    assert any(not one.unverified for one in told)


def test_every_source_that_a_step_names_is_among_those_of_its_protocol() -> None:
    for plan in library.shipped().of_type("PlanDefinition"):
        labels = {one.label for one in sources(plan)}
        for action in _actions(plan):
            assert {one["label"] for one in action.get("documentation", ())} <= labels, (plan["url"], action["id"])


def _actions(tree: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in tree.get("action", ()):
        found += [one, *_actions(one)]
    return found
