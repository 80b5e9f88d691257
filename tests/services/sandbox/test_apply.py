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
