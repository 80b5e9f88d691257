"""The circle of care of the ANS (cds-ihe-careteam): every team that Liaison writes claims it, and one that claims it is held to it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.fhir import model
from liaison.fhir.definitions.profiles import CARE_CIRCLE

from .arrivals import parameters, registered, traits

pytestmark = pytest.mark.alone

Tree = dict[str, Any]


async def team_of(territory: Any, patient: str) -> Tree:
    (reference,) = await territory.search(territory.system, f"CareTeam?patient={patient}")
    found: Tree = await territory.tree(reference)
    return found


async def joined(territory: Any, who: Any) -> None:
    answer = await territory.ask(who.caller, "POST", "Patient/$join", parameters(traits(), means="oral"))
    assert answer.status == 200, answer.body


async def test_a_team_that_is_registered_and_joined_is_a_circle_of_care(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)
    await joined(territory, nurse)

    team = await team_of(territory, patient)

    assert team["meta"]["profile"] == [CARE_CIRCLE.url]
    assert model.problems(team) == []
    assert len(team["participant"]) == 2
    assert all(one["period"]["start"] for one in team["participant"])
    assert team["identifier"][0]["value"].startswith("urn:uuid:")


async def test_two_circles_have_two_numbers(territory: Any) -> None:
    gp = await territory.person("gp")
    first = await registered(territory, gp)
    bare = {name: value for name, value in traits().items() if name != "identifier"}
    answer = await territory.ask(
        gp.caller,
        "POST",
        "Patient/$register",
        parameters({**bare, "name": [{"family": "KERGOAT", "given": ["Anne"]}]}, status="PROV", informed="oral"),
    )
    second = next(
        part["valueReference"]["reference"] for part in json.loads(answer.body)["parameter"] if "valueReference" in part
    )
    numbers = {(await team_of(territory, one))["identifier"][0]["value"] for one in (first, second)}
    assert len(numbers) == 2


async def test_a_member_who_has_no_role_is_let_in_and_the_claim_goes(territory: Any) -> None:
    gp, someone = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)
    team = await team_of(territory, patient)
    plain = territory.team(SimpleNamespace(reference=patient), [someone])["participant"][0]
    member = {**plain, "member": {"reference": someone.practitioner}, "period": {"start": "2020-01-01"}}
    body = {**team, "participant": [*team["participant"], member]}
    refused = await territory.ask(gp.caller, "PUT", f"CareTeam/{team['id']}", body)
    assert refused.status == 422
    issue = json.loads(refused.body)["issue"][0]
    assert issue["expression"] == ["CareTeam.participant[1].member"]

    unclaimed = {name: value for name, value in body.items() if name != "meta"}
    answer = await territory.ask(gp.caller, "PUT", f"CareTeam/{team['id']}", unclaimed)

    assert answer.status == 200, answer.body
    assert await territory.sees(someone.caller, patient)


async def test_one_that_is_sent_with_the_claim_gives_rights_as_it_says(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp)
    plain = territory.team(patient, [nurse])
    circle = {
        **plain,
        "meta": {"profile": [f"{CARE_CIRCLE.url}|2.0.1"]},
        "identifier": [{"system": "http://fake-identifier.fr", "value": "1"}],
        "name": "Cercle de soins",
        "period": {"start": "2013-01-12"},
        "participant": [{"member": {"reference": nurse.role}, "period": {"start": "2013-01-12"}}],
    }
    without = {name: value for name, value in circle.items() if name != "identifier"}
    assert (await territory.ask(gp.caller, "POST", "CareTeam", without)).status == 422
    assert not await territory.sees(nurse.caller, patient.reference)

    await territory.create(gp.caller, circle)

    assert await territory.sees(nurse.caller, patient.reference)
