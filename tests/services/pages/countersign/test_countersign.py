"""What a trainee wrote waits for the supervisor, until it is countersigned; changed, it waits again."""
# ruff: noqa: F811  # the fixtures below come from another folder's conftest, and tests name them as parameters

import html
from typing import Any

import httpx
import orjson

from liaison.auth.access import internal
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request

from ...oauth.conftest import Place, field, place, settings  # noqa: F401  # fixtures

NOTE = "Interrogatoire et examen d'entrée"


async def trainee(place: Place) -> dict[str, str]:
    """The one called 'both' is, for once, the nurse's trainee; the reference by which they sign."""
    database = place.house.database
    await database.writing.execute(
        "update held_role set role_code = 'trainee', acts_for = (select fhir_res from account where username = 'nurse')"
        " where role_code = 'coordinator'"
    )
    res = await database.reading.fetchval("select fhir_res from account where username = 'both'")
    id_ = place.house.store.id(Key(0, kind_of("Practitioner"), res))
    return {"reference": f"Practitioner/{id_}", "display": "Camille BOTH"}


async def as_maker(place: Place, method: str, path: str, tree: dict[str, Any]) -> dict[str, Any]:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    request = Request(method, path, "", orjson.dumps(tree), {"prefer": "return=representation"})
    answer = await place.house.engine.handle(maker, request)
    assert answer.status in (200, 201), answer.body
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


def note(place: Place, author: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "description": NOTE,
        "subject": {"reference": f"Patient/{place.patient}"},
        "author": [author],
        "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
    }


async def listed(browser: httpx.AsyncClient) -> str:
    return html.unescape((await browser.get("/a-contresigner")).text)


async def test_an_entry_waits_until_it_is_countersigned_and_again_once_it_changed(place: Place) -> None:
    written = await as_maker(place, "POST", "DocumentReference", note(place, await trainee(place)))
    item = f"DocumentReference/{written['id']}"
    async with place.signed_in() as supervisor:
        page = await supervisor.get("/a-contresigner")
        assert NOTE in html.unescape(page.text)
        csrf = field(page.text, "csrf")
        other = {"csrf": csrf, "item": "DocumentReference/" + "0" * 32}
        assert (await supervisor.post("/a-contresigner/signer", data=other)).status_code == 404
        form = {"csrf": csrf, "item": item}
        assert (await supervisor.post("/a-contresigner/signer", data=form)).status_code == 303
        assert NOTE not in await listed(supervisor)

        await as_maker(place, "PUT", item, {**written, "description": f"{NOTE}, complété"})
        assert NOTE in await listed(supervisor)


async def test_what_others_wrote_is_not_for_this_supervisor(place: Place) -> None:
    author = await trainee(place)
    await as_maker(place, "POST", "DocumentReference", note(place, author))
    await place.house.database.writing.execute("update held_role set acts_for = 1 where role_code = 'trainee'")
    async with place.signed_in() as stranger:
        assert NOTE not in await listed(stranger)


async def test_a_treatment_that_waits_names_its_medicine(place: Place) -> None:
    where, author = "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d03", await trainee(place)
    medicine: dict[str, Any] = {"resourceType": "Medication", "code": {"text": "Apixaban 5 mg"}}
    treatment: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{place.patient}"},
        "requester": author,
        "medicationReference": {"reference": where},
        "dosageInstruction": [{"text": "1 matin et soir"}],
    }
    entries = [
        {"fullUrl": where, "resource": medicine, "request": {"method": "POST", "url": "Medication"}},
        {"resource": treatment, "request": {"method": "POST", "url": "MedicationRequest"}},
    ]
    await as_maker(place, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    async with place.signed_in() as supervisor:
        assert "Apixaban 5 mg, 1 matin et soir" in await listed(supervisor)
