"""What a trainee wrote waits for the supervisor, until it is countersigned; changed, it waits again."""

import html
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth import sessions
from liaison.auth.access import grants, internal
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.signing import VERIFIER
from liaison.auth.sessions import Act
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request

from ...oauth.conftest import Place, field

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


async def as_trainee(
    place: Place, method: str, path: str, tree: dict[str, Any], status: tuple[int, ...] = (200, 201)
) -> dict[str, Any]:
    """What the trainee writes over FHIR, with their own rights."""
    database = place.house.database
    patients = [row["patient"] for row in await database.reading.fetch("select patient from patient")]
    async with database.writing.acquire() as connection, connection.transaction():
        await grants.lock(connection, patients, directory=True)
        await grants.recompute(connection, place.house.vault, patients)
    [row] = await database.reading.fetch("select * from held_role where role_code = 'trainee'")
    me, role = row["practitioner"], row["role"]
    act = Act((me, role), Purpose.TREAT, "trainee", practitioner=me, role=role, organization=row["organization"])
    async with database.writing.acquire() as connection:
        session = await sessions.open_session(connection, act, sessions.BROWSER, 3600)
        caller = await sessions.caller_of(connection, session)
    assert caller is not None
    request = Request(method, path, "", orjson.dumps(tree), {"prefer": "return=representation"})
    answer = await place.house.engine.handle(caller, request)
    assert answer.status in status, answer.body
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


def problem(place: Place, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "code": {"text": "Hypertension artérielle"},
        "subject": {"reference": f"Patient/{place.patient}"},
        **more,
    }


async def nurse_of(place: Place) -> dict[str, str]:
    res = await place.house.database.reading.fetchval("select fhir_res from account where username = 'nurse'")
    return {"reference": f"Practitioner/{place.house.store.id(Key(0, kind_of('Practitioner'), res))}"}


@pytest.mark.parametrize("named", ["nobody", "themselves", "the supervisor"])
@pytest.mark.parametrize("type_", ["Condition", "DocumentReference", "AllergyIntolerance"])
async def test_what_a_trainee_writes_waits_whoever_it_names(place: Place, type_: str, named: str) -> None:
    me = await trainee(place)
    author = {"nobody": None, "themselves": me, "the supervisor": await nurse_of(place)}[named]
    trees = {
        "Condition": problem(place, **({"recorder": author} if author else {})),
        "DocumentReference": {k: v for k, v in note(place, author or me).items() if author or k != "author"},
        "AllergyIntolerance": {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                                           "code": "active"}]},
            "code": {"text": "Pénicilline"},
            "patient": {"reference": f"Patient/{place.patient}"},
            **({"recorder": author} if author else {}),
        },
    }  # fmt: skip
    said = {"Condition": "Hypertension artérielle", "DocumentReference": NOTE, "AllergyIntolerance": "Pénicilline"}[
        type_
    ]
    written = await as_trainee(place, "POST", type_, trees[type_])
    async with place.signed_in() as supervisor:
        page = await supervisor.get("/a-contresigner")
        assert said in html.unescape(page.text)
        form = {"csrf": field(page.text, "csrf"), "item": f"{type_}/{written['id']}"}
        assert (await supervisor.post("/a-contresigner/signer", data=form)).status_code == 303
        assert said not in await listed(supervisor)


async def test_a_trainee_neither_gives_their_entry_away_nor_signs_it(place: Place) -> None:
    await trainee(place)
    written = await as_trainee(place, "POST", "Condition", problem(place))
    item = f"Condition/{written['id']}"
    await as_trainee(place, "PUT", item, {**written, "recorder": await nurse_of(place)})
    signature = {
        "resourceType": "Provenance",
        "target": [{"reference": item}],
        "recorded": "2026-11-29T08:00:00Z",
        "agent": [{"type": {"coding": [VERIFIER]}, "who": await nurse_of(place)}],
    }
    said = await as_trainee(place, "POST", "Provenance", signature, (422,))
    assert said["issue"][0]["expression"] == ["Provenance.agent.who"]
    [me] = await place.house.database.reading.fetch("select practitioner from held_role where role_code = 'trainee'")
    own = place.house.store.id(Key(0, kind_of("Practitioner"), me["practitioner"]))
    signature["agent"] = [{"type": {"coding": [VERIFIER]}, "who": {"reference": f"Practitioner/{own}"}}]
    await as_trainee(place, "POST", "Provenance", signature)
    async with place.signed_in() as supervisor:
        assert "Hypertension artérielle" in await listed(supervisor)


async def test_somebody_else_than_the_supervisor_does_not_countersign(place: Place) -> None:
    await trainee(place)
    written = await as_trainee(place, "POST", "Condition", problem(place))
    colleague = await as_maker(
        place, "POST", "Practitioner", {"resourceType": "Practitioner", "name": [{"family": "B"}]}
    )
    for who, waits in ((f"Practitioner/{colleague['id']}", True), ((await nurse_of(place))["reference"], False)):
        signature = {
            "resourceType": "Provenance",
            "target": [{"reference": f"Condition/{written['id']}"}],
            "recorded": "2026-11-29T08:00:00Z",
            "agent": [{"type": {"coding": [VERIFIER]}, "who": {"reference": who}}],
        }
        await as_maker(place, "POST", "Provenance", signature)
        async with place.signed_in() as supervisor:
            assert ("Hypertension artérielle" in await listed(supervisor)) is waits


async def test_what_a_trainee_changed_of_another_s_waits_too(place: Place) -> None:
    await trainee(place)
    written = await as_maker(place, "POST", "Condition", problem(place, recorder=await nurse_of(place)))
    async with place.signed_in() as supervisor:
        assert "Hypertension artérielle" not in await listed(supervisor)
        await as_trainee(place, "PUT", f"Condition/{written['id']}", {**written, "code": {"text": "Diabète de type 2"}})
        assert "Diabète de type 2" in await listed(supervisor)
