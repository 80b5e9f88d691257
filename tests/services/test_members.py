"""What a member does is the team's own word, else the directory's: as the principal that raises alerts reads it."""

from datetime import date
from typing import Any

import orjson
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.fhir.store.contract import Request
from liaison.protocols.team import owner
from liaison.services.members import with_functions
from liaison.services.pages.record import Record

from .oauth.conftest import Place, shared

__all__ = ["shared"]
Tree = dict[str, Any]
NURSE = {"system": vocabulary.ROLE, "code": "nurse"}
GP = {"system": vocabulary.ROLE, "code": "gp"}
COORDINATOR = {"system": vocabulary.ROLE, "code": "coordinator"}
TODAY = date(2026, 12, 1)


async def directory(place: Place) -> dict[str, str]:
    """By 'nurse' the role of the nurse, by 'nurse person' her Practitioner; 'both nurse' and 'both coordinator'."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    asked = Request("GET", "PractitionerRole", "_include=PractitionerRole:practitioner&_count=100")
    found = [one["resource"] for one in orjson.loads((await place.house.engine.handle(maker, asked)).body)["entry"]]
    families = {f"Practitioner/{one['id']}": one["name"][0]["family"] for one in found if "name" in one}
    known = {f"{family.lower()} person": reference for reference, family in families.items()}
    for one in found:
        if one["resourceType"] == "PractitionerRole":
            who, role = families[one["practitioner"]["reference"]].lower(), one["code"][0]["coding"][0]["code"]
            known[who if who == role else f"{who} {role}"] = f"PractitionerRole/{one['id']}"
    return known


def who(teams: list[Tree], coding: Tree) -> str:
    return str((owner(teams, [{"coding": [coding]}], TODAY) or {}).get("reference", ""))


@pytest.mark.parametrize(
    ("member", "said", "found"),
    [
        ("nurse", None, {"nurse": "nurse"}),
        ("nurse person", None, {"nurse": "nurse"}),  # a person stands in their role: alerts go to one
        ("both person", None, {"nurse": "both nurse", "coordinator": "both coordinator"}),
        ("nurse", GP, {"gp": "nurse"}),  # the team's word wins
        ("nurse person", GP, {"gp": "nurse person"}),
        ("both person", COORDINATOR, {"coordinator": "both coordinator"}),
        ("nurse", {"system": vocabulary.PROFESSION, "code": "60"}, {"nurse": "nurse"}),
        ("nurse", {"system": "http://snomed.info/sct", "code": "224535009"}, {"nurse": "nurse"}),  # says nothing here
        ("admin", None, {}),
        ("nobody", None, {}),
        ("odd", None, {}),
    ],
    ids=str,
)
async def test_a_member_does_what_the_team_says_or_else_the_directory(
    shared: Place, member: str, said: Tree | None, found: dict[str, str]
) -> None:
    known = await directory(shared)
    known |= {"nobody": f"Practitioner/{shared.patient}", "odd": "PractitionerRole/a,b|c?"}
    participant: Tree = {"member": {"reference": known[member]}, **({"role": [{"coding": [said]}]} if said else {})}
    team = {"resourceType": "CareTeam", "status": "active", "participant": [participant]}
    cell = await internal.open_session(shared.house.database.writing, "protocols")

    teams = await with_functions(Record(shared.house.engine, cell), [team, {"resourceType": "CareTeam"}])

    for coding in (NURSE, GP, COORDINATOR):
        assert who(teams, coding) == known.get(found.get(coding["code"], ""), "")
    assert found == {} or all(one["member"]["display"].startswith("Camille") for one in teams[0]["participant"])
    assert participant == {"member": {"reference": known[member]}, **({"role": [{"coding": [said]}]} if said else {})}


async def test_a_role_that_is_over_says_nothing(shared: Place) -> None:
    known = await directory(shared)
    maker = await internal.open_session(shared.house.database.writing, "sandbox")
    record = Record(shared.house.engine, maker)
    role = await record.read(known["nurse"])
    assert role is not None
    team = {"resourceType": "CareTeam", "participant": [{"member": {"reference": known["nurse"]}}]}
    for over in ({"active": False}, {"period": {"end": "2020-01-01"}}):
        changed = await record.update({**role, **over})
        assert who(await with_functions(record, [team]), NURSE) == ""
        role = await record.update({**role, "meta": changed["meta"]})
    assert who(await with_functions(record, [team]), NURSE) == known["nurse"]
