"""`PlanDefinition/$apply` by several at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running

pytestmark = pytest.mark.http


def test_applied_by_several_at_once_a_protocol_opens_one_plan(sandbox: Running) -> None:
    token, other = sandbox.token("gp"), sandbox.token("nurse")
    definitions = sandbox.get(token, "PlanDefinition?_count=50").json()["entry"]
    [definition] = [
        one["resource"]["id"] for one in definitions if one["resource"]["url"].endswith("PlanDefinition/bpco")
    ]
    mine, theirs = (
        {f"Patient/{one['resource']['id']}" for one in sandbox.get(bearer, "Patient?_count=200").json()["entry"]}
        for bearer in (token, other)
    )
    follow = sandbox.get(token, "CarePlan?status=active&_count=200").json().get("entry", [])
    following = {one["resource"]["subject"]["reference"] for one in follow}
    patient = min((mine & theirs) - following)

    def apply(bearer: str) -> int:
        return httpx.post(
            f"{sandbox.known['fhir']}/PlanDefinition/{definition}/$apply",
            json={"resourceType": "Parameters", "parameter": [{"name": "subject", "valueString": patient}]},
            headers={"authorization": f"Bearer {bearer}", "content-type": "application/fhir+json"},
            timeout=60,
        ).status_code

    with ThreadPoolExecutor(4) as several:
        answers = sorted(several.map(apply, [token, other, token, token]))

    assert answers == [201, 409, 409, 409]
    plans = sandbox.get(token, f"CarePlan?subject={patient}&status=active").json()
    assert plans["total"] == 1


def test_a_protocol_is_applied_on_the_type_and_its_steps_have_owners(sandbox: Running) -> None:
    """Of a team that was written as bare references: the directory says what the nurse does."""
    token = sandbox.token("gp")
    [definition] = [
        one["resource"]
        for one in sandbox.get(token, "PlanDefinition?_count=50").json()["entry"]
        if one["resource"]["url"].endswith("PlanDefinition/bpco")
    ]
    nurse = next(one["practitioner_role"] for one in sandbox.known["people"] if one["key"] == "nurse")
    teams = [one["resource"] for one in sandbox.get(token, "CareTeam?status=active&_count=200").json()["entry"]]
    team = next(one for one in teams if nurse in str(one) and "mental-health" not in str(one))
    bare = [
        {name: value for name, value in one.items() if name != "role"} | {"member": {"reference": reference}}
        if (reference := one["member"]["reference"]) == nurse
        else one
        for one in team["participant"]
    ]
    subject = {"name": "subject", "valueString": team["subject"]["reference"]}

    def applied(*parts: dict[str, Any], path: str = "PlanDefinition/$apply") -> httpx.Response:
        several = [subject, {"name": "preview", "valueBoolean": True}, *parts]
        return sandbox.post(token, path, {"resourceType": "Parameters", "parameter": several})

    inline = {"name": "planDefinition", "resource": definition}
    try:
        assert sandbox.put(token, f"CareTeam/{team['id']}", {**team, "participant": bare}).status_code == 200
        tasks = [
            one["resource"] for one in applied(inline).json()["entry"] if one["resource"]["resourceType"] == "Task"
        ]
        mine = [one for one in tasks if one["performerType"][0]["coding"][0]["code"] == "nurse"]
        assert mine
        assert {one["owner"]["reference"] for one in mine} == {nurse}
        assert all(one["owner"]["display"] for one in mine)
    finally:
        assert sandbox.put(token, f"CareTeam/{team['id']}", team).status_code == 200

    canonical = f"{definition['url']}|{definition['version']}"
    for part in (
        {"name": "planDefinition", "valueReference": {"reference": f"PlanDefinition/{definition['id']}"}},
        {"name": "planDefinition", "valueCanonical": canonical},
    ):
        assert applied(part).status_code == 200, applied(part).text
    other = {"name": "planDefinition", "resource": {**definition, "title": "Autre chose"}}
    for parts, path, status, says in (
        ((), "PlanDefinition/$apply", 400, "says on a type what is applied"),
        ((inline,), f"PlanDefinition/{definition['id']}/$apply", 400, "the definition is in the address"),
        ((other,), "PlanDefinition/$apply", 422, "PlanDefinition.title differs"),
        (
            ({"name": "planDefinition", "resource": {"resourceType": "Patient"}},),
            "PlanDefinition/$apply",
            400,
            "is a Plan",
        ),
        (({"name": "planDefinition", "valueReference": "x"},), "PlanDefinition/$apply", 400, "is a PlanDefinition"),
        (({"name": "planDefinition", "valueCanonical": "urn:x"},), "PlanDefinition/$apply", 422, "not in the protocol"),
        ((inline,), "ActivityDefinition/$apply", 400, "no parameter"),
    ):
        answer = applied(*parts, path=path)
        assert (answer.status_code, says in answer.text) == (status, True), answer.text


def test_a_parameter_that_is_not_understood_is_refused_and_nothing_is_written(sandbox: Running) -> None:
    """What was meant as a preview is never a plan."""
    token = sandbox.token("gp")
    [definition] = [
        one["resource"]["id"]
        for one in sandbox.get(token, "PlanDefinition?_count=50").json()["entry"]
        if one["resource"]["url"].endswith("PlanDefinition/frail-older-person")
    ]
    people = [f"Patient/{one['resource']['id']}" for one in sandbox.get(token, "Patient?_count=2").json()["entry"]]
    before = sandbox.get(token, "CarePlan?_count=0").json()["total"]

    for more, says in (
        ([{"name": "subject", "valueString": people[1]}], "subject is given once"),
        ([{"name": "preview", "valueString": "true"}], "preview has a valueBoolean"),
        ([{"name": "again", "valueCode": "true"}], "again has a valueBoolean"),
        ([{"name": "preview", "valueBoolean": True}] * 2, "preview is given once"),
        ([{"name": "choice", "valueBoolean": True}], "choice has a valueString"),
        ([{"name": "dryRun", "valueBoolean": True}], "no parameter 'dryRun'"),
    ):
        subject = [{"name": "subject", "valueString": people[0]}]
        body = {"resourceType": "Parameters", "parameter": subject + more}
        answer = sandbox.post(token, f"PlanDefinition/{definition}/$apply", body)
        assert answer.status_code == 400, answer.text
        assert says in answer.json()["issue"][0]["diagnostics"], answer.text
    assert sandbox.get(token, "CarePlan?_count=0").json()["total"] == before
