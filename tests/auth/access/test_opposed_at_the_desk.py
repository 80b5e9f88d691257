"""What a person says at a desk of sharing is recorded, whoever they prove to be; and where it is not, the answer says so."""

import json
from typing import Any

import pytest

from .arrivals import parameters, registered, said, traits

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]


def _opposing(patient: Tree) -> Tree:
    return parameters(patient, informed="paper", opposed=True)


def _without_ins(**more: Any) -> Tree:
    tree = traits(**more)
    del tree["identifier"]
    return tree


async def _consents(territory: Any, patient: str) -> list[Tree]:
    found = await territory.search(territory.system, f"Consent?patient={patient}&category=opposition")
    return [await territory.tree(one) for one in found]


async def test_a_newcomer_who_opposes_is_opened_and_closed(territory: Any) -> None:
    gp = await territory.person("gp")
    answer = await territory.ask(gp.caller, "POST", "Patient/$register", _opposing(traits()))

    assert answer.status == 201
    assert said(answer)["opposition"] == "recorded"
    assert not await territory.sees(gp.caller, said(answer)["patient"])


async def test_someone_known_elsewhere_who_opposes_is_closed_to_their_team_and_to_the_desk(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)

    answer = await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(_without_ins()))

    assert (answer.status, said(answer)) == (200, {"result": "known", "opposition": "recorded"})
    assert not await territory.sees(gp.caller, patient)
    [consent] = await _consents(territory, patient)
    assert consent["status"] == "proposed"  # provisional: those who know the person confirm it
    assert consent["performer"] == [{"reference": nurse.role}]


async def test_what_one_s_own_patient_says_counts_as_if_said_in_their_record(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await registered(territory, gp)

    answer = await territory.ask(gp.caller, "POST", "Patient/$register", _opposing(traits()))

    assert said(answer) == {"result": "known", "opposition": "recorded"}
    assert not await territory.sees(gp.caller, patient)
    [consent] = await _consents(territory, patient)
    assert consent["status"] == "active"


async def test_said_a_second_time_it_is_recorded_once_and_answered_alike(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)
    asked = [await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(traits())) for _ in range(2)]
    asked.append(await territory.ask(gp.caller, "POST", "Patient/$register", _opposing(traits())))

    assert [said(one) for one in asked] == [{"result": "known", "opposition": "recorded"}] * 3
    assert len(await _consents(territory, patient)) == 1


async def test_of_two_who_fit_nobody_is_closed_and_the_answer_says_so(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    born = [_without_ins(place=place) for place in ("29232", "22278")]
    opened = [said(await territory.ask(gp.caller, "POST", "Patient/$register", parameters(one))) for one in born]
    assert [one["result"] for one in opened] == ["created", "created"]
    unsure = _without_ins()
    del unsure["extension"]

    answer = await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(unsure))

    assert said(answer) == {"result": "known", "opposition": "not-recorded"}
    assert all([await territory.sees(gp.caller, one["patient"]) for one in opened])

    sure = await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(born[1]))
    assert said(sure)["opposition"] == "recorded"
    assert [await territory.sees(gp.caller, one["patient"]) for one in opened] == [True, False]


async def test_of_two_who_fit_the_one_whom_the_desk_sees_is_not_closed_in_place_of_the_other(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    mine = said(await territory.ask(nurse.caller, "POST", "Patient/$register", parameters(_without_ins())))["patient"]
    other = _without_ins(place="22278")
    theirs = said(await territory.ask(gp.caller, "POST", "Patient/$register", parameters(other)))["patient"]
    unsure = _without_ins()
    del unsure["extension"]

    assert said(await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(unsure)))["opposition"] == (
        "not-recorded"
    )
    assert said(await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(other)))["opposition"] == (
        "recorded"
    )
    assert await territory.sees(nurse.caller, mine)
    assert not await territory.sees(gp.caller, theirs)


async def test_an_ins_beside_other_traits_closes_nobody(territory: Any) -> None:
    """It may be the number that a child is billed on."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)

    answer = await territory.ask(nurse.caller, "POST", "Patient/$register", _opposing(traits(given="Malo")))

    assert said(answer) == {"result": "known", "opposition": "not-recorded"}
    assert await territory.sees(gp.caller, patient)


async def test_nobody_who_did_not_oppose_is_told_of_an_opposition(territory: Any) -> None:
    gp = await territory.person("gp")
    for opposed in ({}, {"opposed": False}):
        answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(traits(), **opposed))
        assert "opposition" not in json.loads(answer.body)
        assert "opposition" not in said(answer)


@pytest.mark.parametrize("code", ["social-worker", "coordinator", "home-service-manager"])
@pytest.mark.parametrize("opposed", [True, False], ids=["who opposes", "who agrees"])
async def test_a_social_professional_opens_no_record_of_somebody_who_was_told_nothing(
    territory: Any, code: str, opposed: bool
) -> None:
    """Nobody would see it, nor could say later that the person was told, or goes back on it."""
    desk = await territory.person(code)
    answer = await territory.ask(desk.caller, "POST", "Patient/$register", parameters(traits(), opposed=opposed))
    assert answer.status == 400
    assert "R.1110-3" in answer.body.decode()
    # Told, they are received; and who opposes goes back on it with the same professional.
    answer = await territory.ask(
        desk.caller, "POST", "Patient/$register", parameters(traits(), opposed=opposed, informed="oral")
    )
    assert answer.status == 201, answer.body
    patient = said(answer)["patient"]
    if opposed:
        [consent] = await territory.search(desk.caller, f"Consent?patient={patient}&category=opposition")
        means = {"resourceType": "Parameters", "parameter": [{"name": "means", "valueCode": "oral"}]}
        back = await territory.ask(desk.caller, "POST", f"{consent}/$withdraw", means)
        assert back.status == 200, back.body
    assert await territory.sees(desk.caller, patient)


async def test_what_somebody_known_opposes_is_recorded_told_or_not(territory: Any) -> None:
    gp, desk = await territory.person("gp"), await territory.person("social-worker")
    patient = await registered(territory, gp)
    answer = await territory.ask(desk.caller, "POST", "Patient/$register", parameters(traits(), opposed=True))
    assert (answer.status, said(answer)["opposition"]) == (200, "recorded")
    assert not await territory.sees(gp.caller, patient)


async def test_a_health_professional_opens_one_and_says_later_that_they_were_told(territory: Any) -> None:
    gp = await territory.person("gp")
    answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(traits()))
    assert await territory.sees(gp.caller, said(answer)["patient"])
