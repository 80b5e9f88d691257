"""A clinician's own software opens the desk on a patient: once, for the person whom it works for, and nobody else."""

from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.people import browsers
from liaison.auth.smart import launch
from liaison.fhir.store.contract import Request
from liaison.services.pages import cookies

from ...oauth.conftest import Place, sign_in


async def launched(place: Place, browser: httpx.AsyncClient, patient: str, **more: str) -> tuple[int, str]:
    """(status, address below ours) of $launch, as whoever is signed in there."""
    signed = await browsers.find(place.house.database.reading, browser.cookies[f"__Host-{cookies.SESSION}"])
    assert signed is not None
    named = [{"name": "client", "valueString": "liaison"}, *({"name": k, "valueCode": v} for k, v in more.items())]
    body = orjson.dumps({"resourceType": "Parameters", "parameter": named})
    answer = await place.house.engine.handle(signed.caller, Request("POST", f"Patient/{patient}/$launch", "", body))
    told: dict[str, Any] = orjson.loads(answer.body)
    url = next((one.get("valueUrl", "") for one in told.get("parameter", ())), "")
    return answer.status, url.removeprefix("https://liaison.test")


async def test_it_opens_on_the_patient_once_and_for_that_person(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place.signed_in() as nurse, place.signed_in("patient") as other:
        assert (await launched(place, nurse, place.other_patient))[0] == 404
        status, address = await launched(place, nurse, place.patient, intent="plan")
        assert status == 200
        assert address.startswith("/ouvrir?iss=")
        assert (await other.get(address)).status_code == 404  # another person's; it is not used up
        assert (await nurse.get(address.replace("liaison.test", "elsewhere.test"))).status_code == 404
        opened = await nurse.get(address)
        assert (opened.status_code, opened.headers["location"]) == (303, f"/dossiers/{place.patient}/plan")
        assert (await nurse.get(opened.headers["location"])).status_code == 200
        assert (await nurse.get(address)).status_code == 404
        assert (await nurse.get("/ouvrir")).status_code == 404

        # The fault: a handle that fits anyone would open the address for another person, who still sees no record.
        _status, address = await launched(place, nurse, place.patient)
        monkeypatch.setattr(launch, "_FITS", "handle = $1 and $2::bigint is not null and $3::bigint is not null")
        assert (await other.get(address)).status_code == 303


async def test_who_is_not_signed_in_does_so_first_and_goes_on(place: Place) -> None:
    async with place.signed_in() as nurse, place.browser() as later:
        _status, address = await launched(place, nurse, place.patient)
        asked = await later.get(address)
        assert asked.status_code == 303
        answer = await sign_in(later, "nurse", path=asked.headers["location"])
        assert answer.headers["location"] == address
        opened = await later.get(address)
        assert opened.headers["location"] == f"/dossiers/{place.patient}"
        assert "LE GOFF" in (await later.get(opened.headers["location"])).text
