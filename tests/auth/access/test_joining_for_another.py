"""$join by who acts for another: a substitute brings in the professional whom they replace, a secretary nobody."""

import json
from typing import Any

import pytest

from .arrivals import parameters, registered, said, traits
from .pieces import moment

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

REPLACING = {"start": moment(days=1), "end": moment(days=-9)}


async def test_a_secretary_joins_no_team_and_is_told_who_does(territory: Any) -> None:
    """They would be a member whom it opens nothing."""
    gp, other = await territory.person("gp"), await territory.person("gp")
    patient = await registered(territory, gp)
    secretary = await territory.person("secretary", acts_for=other.role, period=REPLACING)
    asked = parameters(traits(), ground="recognised", means="oral")

    refused = await territory.ask(secretary.caller, "POST", "Patient/$join", asked)

    assert (refused.status, b"the professional you act for joins it" in refused.body) == (403, True), refused.body
    assert secretary.role not in json.dumps(await territory.tree((await teams(territory, patient))[0]))
    assert (await territory.ask(other.caller, "POST", "Patient/$join", asked)).status == 200
    assert await territory.sees(secretary.caller, patient)


async def teams(territory: Any, patient: str) -> list[str]:
    found: list[str] = await territory.search(territory.system, f"CareTeam?patient={patient}")
    return found


@pytest.mark.parametrize("by", ["role", "person"])
async def test_a_substitute_joins_in_the_name_of_whom_they_replace(territory: Any, by: str) -> None:
    gp, replaced = await territory.person("gp"), await territory.person("gp")
    patient = await registered(territory, gp)
    acts_for = replaced.role if by == "role" else replaced.practitioner
    substitute = await territory.person("substitute", acts_for=acts_for, period=REPLACING)
    asked = parameters(traits(), ground="recognised", means="oral")

    answer = await territory.ask(substitute.caller, "POST", "Patient/$join", asked)

    assert said(answer) == {"result": "joined", "patient": patient}
    assert await territory.sees(substitute.caller, patient)
    assert await territory.sees(replaced.caller, patient)
    [team] = await teams(territory, patient)
    named = [one["member"]["reference"] for one in (await territory.tree(team))["participant"]]
    assert (replaced.role in named, substitute.role in named) == (True, False)


@pytest.mark.parametrize("opposed", ["substitute", "replaced"])
async def test_nobody_joins_in_the_name_of_who_is_opposed(territory: Any, opposed: str) -> None:
    gp, replaced = await territory.person("gp"), await territory.person("gp")
    patient = await registered(territory, gp)
    substitute = await territory.person("substitute", acts_for=replaced.role, period=REPLACING)
    who = {"substitute": substitute, "replaced": replaced}[opposed]
    against = {"name": "against", "valueReference": {"reference": who.practitioner}}
    body = {"resourceType": "Parameters", "parameter": [against]}
    assert (await territory.ask(gp.caller, "POST", f"{patient}/$oppose", body)).status in (200, 201)
    asked = parameters(traits(), ground="recognised", means="oral")
    assert (await territory.ask(substitute.caller, "POST", "Patient/$join", asked)).status == 404
