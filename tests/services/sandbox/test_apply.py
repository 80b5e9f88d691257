"""`PlanDefinition/$apply` by several at once."""

from concurrent.futures import ThreadPoolExecutor

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
