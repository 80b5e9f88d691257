"""$register by who acts for another: the person is received for the professional acted for, who is the member of the team."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.protocols.team import owner

from .arrivals import parameters, registered, said, traits
from .pieces import moment

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]
DATES = {"start": moment(days=1), "end": moment(days=-9)}
DELEGATES = ["secretary", "substitute"]


async def _members(territory: Any, patient: str) -> list[str]:
    [team] = await territory.search(territory.system, f"CareTeam?patient={patient}")
    return [one["member"]["reference"] for one in (await territory.tree(team))["participant"]]


async def _opposition(territory: Any, patient: str) -> Tree:
    [found] = await territory.search(territory.system, f"Consent?patient={patient}&category=opposition")
    tree: Tree = await territory.tree(found)
    return tree


@pytest.mark.parametrize("by", ["role", "person"])
@pytest.mark.parametrize("code", DELEGATES)
async def test_the_professional_acted_for_is_the_member(territory: Any, code: str, by: str) -> None:
    gp = await territory.person("gp")
    delegate = await territory.person(code, acts_for=gp.role if by == "role" else gp.practitioner, period=DATES)

    patient = await registered(territory, delegate)

    assert await _members(territory, patient) == [gp.role]
    assert await territory.sees(gp.caller, patient)
    assert await territory.sees(delegate.caller, patient)
    [team] = await territory.search(territory.system, f"CareTeam?patient={patient}")
    assert "recognised" in json.dumps((await territory.tree(team))["participant"])
    [told] = await territory.search(territory.system, f"Consent?patient={patient}")
    assert (await territory.tree(told))["performer"] == [{"reference": delegate.role}]


async def test_a_secretary_of_two_receives_for_the_one_of_the_role_that_she_works_in(territory: Any) -> None:
    one, other = await territory.person("gp"), await territory.person("gp")
    here = await territory.person("secretary", acts_for=one.role, period=DATES)
    there = await territory.role_of(here.practitioner, "secretary", acts_for=other.role, period=DATES)

    patient = await registered(territory, there)

    assert await _members(territory, patient) == [other.role]
    assert not await territory.sees(one.caller, patient)


async def test_who_is_named_as_a_member_too_has_the_basis_that_is_stated(territory: Any) -> None:
    """The professional acted for comes once, though the person at the desk ticked them; the others as they were named."""
    house = await territory.create(territory.system, {"resourceType": "Organization", "name": "Maison"})
    gp, nurse = await territory.person("gp", house), await territory.person("nurse", house)
    secretary = await territory.person("secretary", house, acts_for=gp.role, period=DATES)
    asked = parameters(traits(), informed="oral")
    for one in (gp, nurse):
        basis = [{"url": "https://liaison.example/fhir/StructureDefinition/legal-basis", "valueCode": "same-structure"}]
        asked["parameter"].append({"name": "member", "valueReference": {"extension": basis, "reference": one.role}})

    patient = said(await territory.ask(secretary.caller, "POST", "Patient/$register", asked))["patient"]

    assert sorted(await _members(territory, patient)) == sorted([gp.role, nurse.role])
    [team] = await territory.search(territory.system, f"CareTeam?patient={patient}")
    doing = {"coding": [{"system": vocabulary.ROLE, "code": "nurse"}]}
    assert owner([await territory.tree(team)], [doing], datetime.now(UTC).date()) == {
        "reference": nurse.role, "display": "nurse"
    }, "a step for a nurse finds her"  # fmt: skip
    assert await territory.sees(nurse.caller, patient)


@pytest.mark.parametrize("code", DELEGATES)
async def test_nobody_is_received_for_who_has_no_role_in_force(territory: Any, code: str) -> None:
    """They would have a record that nobody on a team reads."""
    gone = await territory.person("gp")
    delegate = await territory.person(code, acts_for=gone.role, period=DATES)
    over = {**await territory.tree(gone.role), "active": False}
    await territory.ask(territory.system, "PUT", gone.role, over)

    refused = await territory.ask(delegate.caller, "POST", "Patient/$register", parameters(traits(), informed="oral"))

    assert (refused.status, b"has no role in force" in refused.body) == (403, True), refused.body
    assert await territory.search(territory.system, "Patient?family=LE GOFF") == []


@pytest.mark.parametrize("code", DELEGATES)
async def test_what_a_newcomer_opposes_waits_for_the_professional_acted_for(territory: Any, code: str) -> None:
    gp = await territory.person("gp")
    delegate = await territory.person(code, acts_for=gp.role, period=DATES)
    asked = parameters(traits(), informed="oral", opposed=True)

    patient = said(await territory.ask(delegate.caller, "POST", "Patient/$register", asked))["patient"]

    tree = await _opposition(territory, patient)
    assert (tree["status"], tree["performer"]) == ("proposed", [{"reference": delegate.role}])
    assert not await territory.sees(gp.caller, patient)  # in force at once
    assert not await territory.sees(delegate.caller, patient)
    reference = f"Consent/{tree['id']}"
    officer = await territory.mandated("dpo")
    for who in (gp, officer):
        assert await territory.search(who.caller, f"Consent?status=proposed&patient={patient}") == [reference]

    verified = {
        "verified": True,
        "verifiedWith": {"reference": patient},
        "verificationDate": moment(),
    }
    confirmed = {**tree, "status": "active", "verification": [verified]}
    assert (await territory.ask(gp.caller, "PUT", reference, confirmed)).status == 200
    assert not await territory.sees(gp.caller, patient)


@pytest.mark.parametrize("code", DELEGATES)
async def test_a_newcomer_comes_back_on_it_with_the_professional_acted_for(territory: Any, code: str) -> None:
    gp = await territory.person("gp")
    delegate = await territory.person(code, acts_for=gp.role, period=DATES)
    asked = parameters(traits(), informed="oral", opposed=True)
    patient = said(await territory.ask(delegate.caller, "POST", "Patient/$register", asked))["patient"]
    tree = await _opposition(territory, patient)
    means = {"resourceType": "Parameters", "parameter": [{"name": "means", "valueCode": "oral"}]}

    answer = await territory.ask(gp.caller, "POST", f"Consent/{tree['id']}/$withdraw", means)

    assert answer.status == 200, answer.body
    assert await territory.sees(gp.caller, patient)
    assert await territory.sees(delegate.caller, patient)


async def test_a_substitute_leaves_and_the_professional_whom_they_replaced_has_the_patient(territory: Any) -> None:
    gp = await territory.person("gp")
    substitute = await territory.person("substitute", acts_for=gp.role, period=DATES)
    patient = await registered(territory, substitute)
    note = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "consultation"},
        "subject": {"reference": patient},
    }
    written = await territory.create(substitute.caller, note)
    over = {**await territory.tree(substitute.role), "period": {"start": moment(days=2), "end": moment(days=1)}}

    assert (await territory.ask(territory.system, "PUT", substitute.role, over)).status == 200

    assert (await territory.ask(substitute.caller, "GET", patient)).status != 200
    assert await territory.sees(gp.caller, written)
