"""fhirclient (npm, SMART Health IT): an app that a person signs in to, without a key and with one."""

from collections.abc import Callable

import pytest

from .conftest import BROWSER_APP, REDIRECT, Ground, Script

pytestmark = pytest.mark.http


@pytest.mark.parametrize("client_id", [BROWSER_APP, "gp_software"])
def test_an_app_goes_its_whole_round(node: Callable[[str], Script], ground: Ground, client_id: str) -> None:
    script = node("fhirclient")
    script.tell(
        fhir=ground.fhir,
        client=ground.registered(client_id),
        redirect=REDIRECT,
        observation=ground.observation(),
        transaction=ground.transaction(),
    )

    script.tell(returned=ground.consent(script.told()["authorize"], "gp", ground.patient))
    signed_in = script.told()
    assert signed_in["patient"] == ground.patient
    assert signed_in["fhirUser"].endswith(ground.person("gp")["practitioner"])
    searched = script.told()
    assert searched["read"] == searched["resolved"] == ground.patient
    assert searched["found"] == searched["distinct"] == searched["total"] > 14
    assert script.told() == {"made": "1", "changed": "2"}
    assert script.told() == {"patched": "3", "value": 73.5}
    assert script.told() == {"statuses": ["201", "201"]}
    assert script.told() == {"gone": 410, "renewed": True if client_id == BROWSER_APP else None}
