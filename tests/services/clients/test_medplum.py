"""@medplum/core (npm, Medplum): the whole round of a backend, and a person's app with PKCE."""

from collections.abc import Callable

import pytest

from .conftest import BACKEND, BROWSER_APP, REDIRECT, Ground, Script

pytestmark = pytest.mark.http


def test_a_backend_and_an_app_go_their_whole_round(node: Callable[[str], Script], ground: Ground) -> None:
    script = node("medplum")
    script.tell(
        fhir=ground.fhir,
        issuer=ground.known["issuer"],
        client=ground.registered(BACKEND),
        app=BROWSER_APP,
        redirect=REDIRECT,
        patient=ground.patient,
        observation=ground.observation(),
        transaction=ground.transaction(),
    )

    assert script.told() == {"authenticated": True}
    assert script.told() == {"read": ground.patient, "referred": ground.patient}
    searched = script.told()
    assert searched["found"] == searched["distinct"] == searched["total"] > 14
    assert searched["newest"]
    assert script.told() == {"made": "1", "changed": "2", "first": 71.5, "history": 2}
    assert script.told() == {"patched": "3", "value": 73.5}
    assert script.told() == {"statuses": ["201", "201"]}
    assert script.told() == {"absent": "not-found"}
    script.tell(returned=ground.consent(script.told()["authorize"], "gp"))
    assert script.told() == {"person": True, "seen": ground.patient, "gone": "deleted"}
