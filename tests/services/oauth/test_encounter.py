"""A standalone launch with launch/encounter: chosen by the person, among what they see of the one patient."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal
from liaison.auth.oauth2 import clients, rfc7662
from liaison.fhir.store.contract import Request
from liaison.services.oauth.encounters import MOST

from .conftest import Place, agree, asking, query_of, redeem
from .conftest import field as hidden

SCOPE = "launch/encounter offline_access openid user/Encounter.rs"


@dataclass
class Ward:
    """A place whose patient has encounters: by the day they began, the newest last."""

    place: Place
    visits: dict[str, str] = field(default_factory=dict)

    async def write(self, patient: str, day: str, reason: str, **more: Any) -> str:
        maker = await internal.open_session(self.place.house.database.writing, "sandbox")
        tree = {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "AMB", "display": "Consultation au cabinet"},
            "subject": {"reference": f"Patient/{patient}"},
            "period": {"start": f"{day}T09:00:00+01:00"},
            "reasonCode": [{"text": reason}],
            **more,
        }
        asked = Request("POST", "Encounter", "", orjson.dumps(tree), {"prefer": "return=representation"})
        answer = await self.place.house.engine.handle(maker, asked)
        assert answer.status == 201, answer.body
        id_: str = orjson.loads(answer.body)["id"]
        return id_


@pytest.fixture(scope="module")
async def ward(shared: Place) -> AsyncIterator[Ward]:
    made = Ward(shared)
    for day, reason in (("2026-01-05", "toux"), ("2026-03-02", "essoufflement"), ("2026-02-01", "vaccin")):
        made.visits[day] = await made.write(shared.patient, day, reason)
    made.visits["error"] = await made.write(shared.patient, "2026-02-15", "par erreur", status="entered-in-error")
    made.visits["stranger"] = await made.write(shared.other_patient, "2026-03-03", "secret")
    yield made


async def asked(browser: httpx.AsyncClient, scope: str = SCOPE) -> tuple[httpx.Response, dict[str, str]]:
    page = await browser.get("/oauth/authorize", params=asking(scope=scope))
    assert page.status_code == 200, page.text
    return page, {name: hidden(page.text, name) for name in ("csrf", "request", "patient", "step")}


async def test_the_patients_encounters_are_offered_most_recent_first(ward: Ward) -> None:
    async with ward.place.signed_in() as browser:
        page, form = await asked(browser)
        again = await browser.post("/oauth/consent", data={**form, "decision": "choose"})

    words = page.text
    assert words.index("essoufflement") < words.index("vaccin") < words.index("toux")
    assert "secret" not in words
    assert "par erreur" not in words
    assert "Patient LE GOFF" in words
    assert again.status_code == 422
    assert "Choisissez une ligne" in again.text


async def test_the_chosen_one_is_in_the_token_response_in_introspection_and_after_a_refresh(ward: Ward) -> None:
    chosen = ward.visits["2026-02-01"]
    async with ward.place.signed_in() as browser:
        answer = await agree(browser, scope=SCOPE, patient=ward.place.patient, encounter=chosen)
        content = (await redeem(browser, query_of(answer)["code"])).json()
        form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": content["refresh_token"]}
        refreshed = (await browser.post("/oauth/token", data=form)).json()
        described = await introspected(ward.place, browser, refreshed["access_token"])

    for told in (content, refreshed, described):
        assert told["encounter"] == chosen
        assert told["patient"] == ward.place.patient
        assert "launch/encounter" in told["scope"].split()


async def introspected(place: Place, browser: httpx.AsyncClient, token: str) -> dict[str, Any]:
    """What the endpoint would say of the app's token to one that may ask about any."""
    house = place.house
    asker = await clients.find(house.database.reading, "app")
    assert asker is not None
    found = await rfc7662.introspect(
        house.database.reading,
        asker,
        token,
        keys=house.signing_keys,
        issuer=house.settings.public_url,
        audience=house.settings.fhir_base,
    )
    assert found is not None
    return {"scope": found.scope, **found.context.parameters()}


async def test_what_is_not_the_patients_or_not_visible_is_not_taken(ward: Ward) -> None:
    async with ward.place.signed_in() as browser:
        _, form = await asked(browser)
        for forged in (ward.visits["stranger"], ward.visits["error"], "unknown", "../Patient/x", ""):
            page = await browser.post("/oauth/consent", data={**form, "encounter": forged, "decision": "choose"})
            assert page.status_code == 422, forged
            assert "Consultations, visites et séjours" in page.text, forged
            boxes = {"scope": ["0.rs", "identity", "lasting"]}
            taken = await browser.post(
                "/oauth/consent", data={**form, **boxes, "encounter": forged, "decision": "accept"}
            )
            assert "location" not in taken.headers, forged


async def test_one_may_go_on_without_and_the_software_is_told(ward: Ward) -> None:
    async with ward.place.signed_in() as browser:
        answer = await agree(browser, scope=SCOPE, patient=ward.place.patient, encounter="none")
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert "encounter" not in content
    assert "launch/encounter" not in content["scope"].split()
    assert content["patient"] == ward.place.patient


async def test_a_person_without_encounters_is_said_in_a_sentence(place: Place) -> None:
    async with place.signed_in() as browser:
        page, _ = await asked(browser)
        answer = await agree(browser, scope=SCOPE, patient=place.patient, encounter="none")
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert "Aucune consultation, visite ou séjour de cette personne ne vous est ouvert." in page.text
    assert "encounter" not in content


async def test_earlier_ones_are_found_by_a_day(place: Place) -> None:
    ward = Ward(place)
    for number in range(MOST + 2):
        await ward.write(place.patient, f"2026-05-{number + 1:02}", f"motif {number + 1:02}")
    async with place.signed_in() as browser:
        page, form = await asked(browser)
        assert "motif 12" in page.text
        assert "motif 02" not in page.text
        found = await browser.post("/oauth/consent", data={**form, "until": "2026-05-02", "decision": "search"})
        nothing = await browser.post("/oauth/consent", data={**form, "until": "2020-01-01", "decision": "search"})
        no_day = await browser.post("/oauth/consent", data={**form, "until": "hier", "decision": "search"})

    assert "motif 02" in found.text
    assert "motif 03" not in found.text
    assert "Rien qui vous soit ouvert jusqu’à ce jour." in nothing.text
    assert no_day.status_code == 422
    assert "Donnez un jour du calendrier." in no_day.text
