"""`liaison import` and the attending doctor: a person has one at a time, whoever writes it."""

from pathlib import Path
from typing import Any

import pytest

from liaison.auth.access import vocabulary

from .conftest import Run
from .test_import import put

pytestmark = pytest.mark.http

Tree = dict[str, Any]


@pytest.mark.parametrize("files", ["one file", "two files"])
def test_two_attending_doctors_of_one_person_are_refused_and_said(run: Run, tmp_path: Path, files: str) -> None:
    """Who reads and lifts what the person masks is one (row 25): an import makes no second one, as nobody does."""
    doctors: list[Tree] = [{"resourceType": "Practitioner", "id": name, "active": True} for name in ("one", "other")]
    patient: Tree = {"resourceType": "Patient", "id": "p", "name": [{"family": "Le Goff", "given": ["Jeanne"]}]}
    attending: list[Tree] = [{"coding": [{"system": vocabulary.ROLE, "code": "attending-gp"}]}]

    def team(name: str, doctor: str) -> Tree:
        member = {
            "role": attending,
            "member": {"reference": f"Practitioner/{doctor}"},
            "period": {"start": "2026-01-01"},
        }
        subject = {"reference": "Patient/p"}
        return {"resourceType": "CareTeam", "id": name, "status": "active", "subject": subject, "participant": [member]}

    folder = tmp_path / "files"
    first: list[Tree] = [*doctors, patient, team("first", "one")]
    for tree in first:
        put(folder, f"{tree['resourceType']}-{tree['id']}.json", tree)
    second: Tree = team("second", "other")
    if files == "one file":
        put(folder, "CareTeam-second.json", second)
        code, report = run(folder)
        created = report["created"]["CareTeam"]
    else:
        assert run(folder)[0] == 0
        code, report = run("--source", "files", put(folder, "CareTeam-second.json", second))
        created = 1 + report["created"].get("CareTeam", 0)

    assert (code, created) == (1, 1)
    [refused] = report["refused"]
    assert "second" in refused["where"]
    assert "one attending doctor at a time" in refused["reason"]
