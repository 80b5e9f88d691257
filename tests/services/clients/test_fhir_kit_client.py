"""fhir-kit-client (npm, Vermonster): the whole round of a backend."""

from collections.abc import Callable

import pytest

from .conftest import BACKEND, Ground, Script

pytestmark = pytest.mark.http


def test_a_backend_goes_its_whole_round(node: Callable[[str], Script], ground: Ground) -> None:
    script = node("fhir-kit-client")
    script.tell(
        fhir=ground.fhir,
        client=ground.registered(BACKEND),
        patient=ground.patient,
        observation=ground.observation(),
        transaction=ground.transaction(),
    )

    assert script.told() == {
        "fhirVersion": "4.0.1",
        "tokenUrl": ground.known["token_endpoint"],
        "authorizeUrl": f"{ground.known['issuer']}/oauth/authorize",
    }
    assert script.told() == {"read": ground.patient}
    searched = script.told()
    assert searched["found"] == searched["distinct"] == searched["total"] > 14
    assert (searched["posted"], searched["compartment"]) == (5, 3)
    assert script.told() == {"made": "1", "changed": "2", "stale": 412, "first": 71.5, "history": 2}
    assert script.told() == {"patched": "3", "value": 73.5}
    assert script.told() == {"statuses": ["201", "201"], "encounter": True}
    assert script.told() == {"wrong": "entered-in-error", "absent": 404, "outcome": "OperationOutcome"}
