"""EHR launch, by libraries that others wrote: the app is opened on a record from our page, and finds it in context."""

from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlencode

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.patient import Patient

from ...conformance.outside import APP, Outside
from .conftest import REDIRECT, Ground, Script

pytestmark = pytest.mark.http

RECORD = "bpco_04"


@pytest.fixture
def outside(ground: Ground) -> Iterator[Outside]:
    with closing(Outside(ground.known)) as opened:
        yield opened


def test_fhirclient_of_npm(node: Callable[[str], Script], ground: Ground, outside: Outside) -> None:
    _, received = outside.received
    script = node("launched")
    script.tell(client=ground.registered(APP), redirect=REDIRECT, query=urlencode(received))

    script.tell(returned=ground.consent(script.told()["authorize"], "gp"))

    found = script.told()
    assert found["patient"] == outside.patient(RECORD)
    assert found["intent"] == "open-record"
    assert found["fhirUser"].endswith(ground.person("gp")["practitioner"])


def test_fhirclient_of_pypi(ground: Ground, outside: Outside) -> None:
    _, received = outside.received
    settings = {
        "app_id": APP,
        "api_base": received["iss"],
        "launch_token": received["launch"],
        "redirect_uri": REDIRECT,
        "scope": "launch openid fhirUser user/*.rs",
    }
    client = FHIRClient(settings=settings)
    client.prepare()

    client.handle_callback(ground.consent(client.authorize_url, "gp"))

    assert client.patient.id == outside.patient(RECORD)
    assert Patient.read(client.patient.id, client.server).id == outside.patient(RECORD)
    client.server.session.close()
