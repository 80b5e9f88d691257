"""A profile that is claimed is held to: the circle of care of the ANS (cds-ihe-careteam, 2.0.1)."""

import copy
import os
from pathlib import Path
from typing import Any

import pytest

from liaison.fhir import model
from liaison.fhir.definitions.profiles import CARE_CIRCLE
from liaison.fhir.errors import Unprocessable

SAMPLE = os.environ.get("LIAISON_SAMPLE_DATA", "")
Tree = dict[str, Any]
CIRCLE: Tree = {
    "resourceType": "CareTeam",
    "meta": {"profile": [CARE_CIRCLE.url]},
    "identifier": [{"system": "http://fake-identifier.fr", "value": "1"}],
    "status": "active",
    "name": "Cercle de soins de Mr Jacques Thobois",
    "subject": {"reference": "Patient/p"},
    "period": {"start": "2013-01-12"},
    "participant": [
        {"member": {"reference": "RelatedPerson/r"}, "period": {"start": "2013-01-12"}},
        {"member": {"reference": "Organization/o"}},
    ],
}


def changed(path: str, value: Any = None) -> Tree:
    """The circle with an element changed, or left out."""
    tree = copy.deepcopy(CIRCLE)
    node: Any = tree
    *parents, last = path.split(".")
    for step in parents:
        node = node[int(step)] if step.isdigit() else node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return tree


def test_what_holds_is_accepted() -> None:
    model.validate(CIRCLE, "CareTeam")
    versioned = changed("meta", {"profile": [f"{CARE_CIRCLE.url}|2.0.1"]})
    assert model.problems(versioned) == []


@pytest.mark.parametrize(
    ("path", "value", "expression"),
    [
        pytest.param("identifier", None, "CareTeam.identifier", id="no identifier"),
        pytest.param("identifier", [{"value": "1"}, {"value": "2"}], "CareTeam.identifier", id="two identifiers"),
        pytest.param("identifier.0.value", None, "CareTeam.identifier[0].value", id="no value"),
        pytest.param("status", None, "CareTeam.status", id="no status"),
        pytest.param("name", None, "CareTeam.name", id="no name"),
        pytest.param("subject", {"reference": "Group/g"}, "CareTeam.subject", id="a group"),
        pytest.param("period", None, "CareTeam.period", id="no period"),
        pytest.param("period", {"end": "2030-01-01"}, "CareTeam.period.start", id="no beginning"),
        pytest.param("participant", [{"role": [{"text": "x"}]}], "CareTeam.participant[0].member", id="nobody"),
        pytest.param(
            "participant.1.member",
            {"reference": "Practitioner/x"},
            "CareTeam.participant[1].member",
            id="a person without a role",
        ),
        pytest.param(
            "participant.0.period",
            {"end": "2030-01-01"},
            "CareTeam.participant[0].period.start",
            id="a member without a beginning",
        ),
    ],
)
def test_what_does_not_hold_is_refused_with_the_element(path: str, value: Any, expression: str) -> None:
    tree = changed(path, value)
    with pytest.raises(Unprocessable) as refused:
        model.validate(tree, "CareTeam")
    assert [one.expression for one in refused.value.issues] == [expression]
    assert CARE_CIRCLE.url in refused.value.issues[0].diagnostics
    # R4 itself asks none of it: without the claim it is accepted.
    model.validate({**tree, "meta": {"profile": ["https://example.org/other"]}}, "CareTeam")


@pytest.mark.skipif(not SAMPLE, reason="LIAISON_SAMPLE_DATA is not set: the examples of the guide are not here")
def test_the_example_of_the_guide_holds() -> None:
    tree = model.read((Path(SAMPLE) / "fr-examples/cds/CareTeam-cds-careteam-example.json").read_bytes())
    assert model.problems({**tree, "meta": {"profile": [CARE_CIRCLE.url]}}) == []


def test_a_reference_that_says_no_type_is_not_held_against_it() -> None:
    for reference in ({"reference": "urn:uuid:0b0c"}, {"identifier": {"value": "1"}}, {"display": "Mme Exemple"}):
        assert model.problems(changed("participant.1.member", reference)) == []
    assert model.problems(changed("participant.1.member", {"type": "Practitioner", "display": "x"})) != []


def test_what_r4_refuses_is_said_first() -> None:
    wrong = changed("participant.0.member", {"reference": 7})
    assert all("profile" not in one.diagnostics for one in model.problems({**wrong, "name": None}))
