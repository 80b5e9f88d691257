"""EHR launch: an app opened on a record, by the person who looks at it, once."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.oauth2 import clients
from liaison.auth.people import browsers
from liaison.auth.smart import launch
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request

from .conftest import APP_SCOPE, FHIR, Place, agree, asking, field, query_of, redeem

SCOPE = "launch openid user/Patient.rs"


def handle_of(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["launch"][0]


async def opened_from_the_page(browser: httpx.AsyncClient, place: Place, client_id: str = "app") -> httpx.Response:
    page = await browser.get(f"/dossiers/{place.patient}")
    form = {"csrf": field(page.text, "csrf"), "client": client_id}
    return await browser.post(f"/dossiers/{place.patient}/applications", data=form)


async def caller_of(browser: httpx.AsyncClient, place: Place) -> Caller:
    found = await browsers.find(place.house.database.reading, browser.cookies["__Host-liaison"])
    assert found is not None
    return found.caller


async def ask(place: Place, caller: Caller, method: str, path: str, tree: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = await place.house.engine.handle(
        caller, Request(method, path, "", orjson.dumps(tree), {"prefer": "return=representation"})
    )
    return answer.status, orjson.loads(answer.body)


def parameters(**parts: Any) -> dict[str, Any]:
    listed = [
        {"name": name.replace("_", "-"), **value}
        for name, values in parts.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return {"resourceType": "Parameters", "parameter": listed}


async def test_the_record_page_opens_the_app_with_the_record_in_context(shared: Place) -> None:
    async with shared.signed_in() as browser:
        page = await browser.get(f"/dossiers/{shared.patient}")
        assert "Ouvrir une application" in page.text
        assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]

        sent = await opened_from_the_page(browser, shared)

        assert sent.headers["location"].startswith("https://app.example/launch?")
        query = parse_qs(urlsplit(sent.headers["location"]).query)
        assert query["iss"] == [FHIR]
        consent = await browser.get("/oauth/authorize", params=asking(scope=SCOPE, launch=query["launch"][0]))
        assert "Patient LE GOFF" in consent.text
        answer = await agree(browser, scope=SCOPE, launch=query["launch"][0])
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert content["patient"] == shared.patient
    assert content["intent"] == "open-record"
    assert content["need_patient_banner"] is True
    assert "launch" in content["scope"].split()
    assert "encounter" not in content


async def test_an_operation_hands_over_encounter_intent_and_context(shared: Place) -> None:
    async with shared.signed_in() as browser:
        caller = await caller_of(browser, shared)
        visit = {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": f"Patient/{shared.patient}"},
        }
        _, encounter = await ask(shared, caller, "POST", "Encounter", visit)
        _, weight = await ask(shared, caller, "POST", "Observation", _weight(shared))
        status, answered = await ask(
            shared,
            caller,
            "POST",
            f"Patient/{shared.patient}/$launch",
            parameters(
                client={"valueString": "app"},
                encounter={"valueReference": {"reference": f"Encounter/{encounter['id']}"}},
                intent={"valueCode": "weight-follow-up"},
                context=[{"valueReference": {"reference": f"Observation/{weight['id']}"}}],
                need_patient_banner={"valueBoolean": False},
            ),
        )
        assert status == 200, answered
        given = {part["name"]: part for part in answered["parameter"]}
        assert given["url"]["valueUrl"].endswith(f"launch={given['launch']['valueString']}")
        answer = await agree(browser, scope=SCOPE, launch=given["launch"]["valueString"])
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert content["encounter"] == encounter["id"]
    assert content["intent"] == "weight-follow-up"
    assert content["fhirContext"] == [{"reference": f"Observation/{weight['id']}"}]
    assert content["need_patient_banner"] is False


def _weight(place: Place) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{place.patient}"},
        "effectiveDateTime": "2026-11-20T08:00:00+01:00",
        "valueQuantity": {"value": 71, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }


async def test_what_cannot_be_launched_is_refused_by_name(shared: Place) -> None:
    async with shared.signed_in() as browser:
        caller = await caller_of(browser, shared)
        for id_, parts, status in (
            (shared.other_patient, parameters(client={"valueString": "app"}), 404),
            (shared.patient, parameters(client={"valueString": "nobody"}), 422),
            (shared.patient, parameters(), 400),
            (shared.patient, parameters(client={"valueString": "app"}, intent={"valueCode": "see her blood"}), 422),
            (shared.patient, parameters(client={"valueString": "app"}, other={"valueString": "x"}), 400),
            (
                shared.patient,
                parameters(
                    client={"valueString": "app"}, encounter={"valueReference": {"reference": "Encounter/unknown1"}}
                ),
                404,
            ),
        ):
            assert (await ask(shared, caller, "POST", f"Patient/{id_}/$launch", parts))[0] == status, parts
        page = await browser.get(f"/dossiers/{shared.patient}")
        form = {"csrf": field(page.text, "csrf"), "client": "app"}
        hidden = await browser.post(f"/dossiers/{shared.other_patient}/applications", data=form)
        assert hidden.status_code == 404
        assert (await opened_from_the_page(browser, shared, "nobody")).status_code == 422


async def refusal(browser: httpx.AsyncClient, handle: str, **changes: str) -> str:
    answer = await browser.get("/oauth/authorize", params=asking(scope=SCOPE, launch=handle, **changes))
    assert "code" not in query_of(answer)
    return query_of(answer)["error_description"]


async def test_a_handle_is_for_one_person_one_app_and_once(shared: Place) -> None:
    async with shared.house.database.writing.acquire() as connection:
        await clients.add(
            connection,
            client_id="rival",
            kind="app",
            name="Rival",
            scope=APP_SCOPE,
            redirect_uris=["https://rival.example/"],
        )
    async with shared.signed_in() as browser, shared.signed_in("patient") as someone_else:
        handle = handle_of(await opened_from_the_page(browser, shared))
        others = {
            await refusal(someone_else, handle),
            await refusal(browser, handle, client_id="rival", redirect_uri="https://rival.example/"),
            await refusal(browser, "made-up"),
        }
        assert "code" in query_of(await agree(browser, scope=SCOPE, launch=handle))
        others.add(await refusal(browser, handle))
        late = handle_of(await opened_from_the_page(browser, shared))
        await shared.house.database.writing.execute("update launch set expires_at = now() where used_at is null")
        others.add(await refusal(browser, late))

    assert others == {"The launch is not valid for this software and this person."}  # one text, whatever is wrong


async def test_a_refusal_uses_the_handle_up(shared: Place) -> None:
    async with shared.signed_in() as browser:
        handle = handle_of(await opened_from_the_page(browser, shared))
        assert query_of(await agree(browser, "refuse", scope=SCOPE, launch=handle))["error"] == "access_denied"
        await refusal(browser, handle)


async def test_of_twenty_who_come_with_one_handle_one_wins(shared: Place) -> None:
    async with shared.signed_in() as browser:
        handle = handle_of(await opened_from_the_page(browser, shared))
        asked = asking(scope=SCOPE, launch=handle)
        # Each from a page of its own: one form sent again would be led where it led the first time.
        pages = [(await browser.get("/oauth/authorize", params=asked)).text for _ in range(20)]
        forms = [{name: field(page, name) for name in ("csrf", "request")} for page in pages]
        sent = {"decision": "accept", "scope": ["0.rs", "identity"]}

        answers = await asyncio.gather(*(browser.post("/oauth/consent", data={**form, **sent}) for form in forms))

    assert sum("code" in query_of(answer) for answer in answers) == 1


async def test_a_handle_gives_no_right(shared: Place) -> None:
    """What was visible when the app was opened is looked at again when the person answers."""
    context = launch.LaunchContext(patient=shared.other_patient)
    async with shared.signed_in() as browser:
        account = (await caller_of(browser, shared)).account
        handle = await launch.issue(
            shared.house.database.writing, client=shared.app_client.number, account=account, context=context
        )
        answer = await browser.get("/oauth/authorize", params=asking(scope=SCOPE, launch=handle))

    assert query_of(answer)["error"] == "access_denied"


async def test_the_handle_is_kept_as_a_hash_only(shared: Place) -> None:
    async with shared.signed_in() as browser:
        handle = handle_of(await opened_from_the_page(browser, shared))

    rows = await shared.house.database.reading.fetch("select l::text from launch l")
    assert rows
    assert not any(handle in row[0] or handle.encode().hex() in row[0] for row in rows)


async def test_the_scope_launch_without_a_handle_is_left_out(shared: Place) -> None:
    async with shared.signed_in() as browser:
        content = (await redeem(browser, query_of(await agree(browser, scope=SCOPE))["code"])).json()

    assert "launch" not in content["scope"].split()
    assert "patient" not in content


async def test_an_encounter_of_another_patient_is_not_handed_over(place: Place) -> None:
    async with place.house.database.writing.acquire() as connection:
        maker = await internal.open_session(connection, "sandbox")
    nurse = {"reference": f"Practitioner/{await nurse_of(place)}"}
    team = {
        "resourceType": "CareTeam", "status": "active", "subject": {"reference": f"Patient/{place.other_patient}"},
        "participant": [{"member": nurse, "period": {"start": "2020-01-01"}}],
    }  # fmt: skip
    assert (await ask(place, maker, "POST", "CareTeam", team))[0] == 201
    async with place.signed_in() as browser:
        caller = await caller_of(browser, place)
        visit = {
            "resourceType": "Encounter", "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
            "subject": {"reference": f"Patient/{place.other_patient}"},
        }  # fmt: skip
        status, made = await ask(place, caller, "POST", "Encounter", visit)
        assert status == 201, made
        given = parameters(
            client={"valueString": "app"}, encounter={"valueReference": {"reference": f"Encounter/{made['id']}"}}
        )
        status, answer = await ask(place, caller, "POST", f"Patient/{place.patient}/$launch", given)
        assert status == 422, answer
        assert "another" in answer["issue"][0]["diagnostics"] or "another" in str(answer)
        status, answer = await ask(place, caller, "POST", f"Patient/{place.other_patient}/$launch", given)
        assert status == 200, answer


async def test_what_a_launch_is_also_about_is_of_its_patient_or_of_the_directory(place: Place) -> None:
    async with place.house.database.writing.acquire() as connection:
        maker = await internal.open_session(connection, "sandbox")
    hidden = {**_weight(place), "subject": {"reference": f"Patient/{place.other_patient}"}}
    _, elsewhere = await ask(place, maker, "POST", "Observation", hidden)
    practitioner = f"Practitioner/{await nurse_of(place)}"
    async with place.signed_in() as browser:
        caller = await caller_of(browser, place)
        _, weight = await ask(place, caller, "POST", "Observation", _weight(place))
        refused = set()
        for context in (
            f"Observation/{elsewhere['id']}",  # of somebody whom she does not see
            "Observation/unknown1",
            f"{'Condition'}/{weight['id']}",  # no such thing under that type
            f"Observation/{weight['id'][:-1]}",
        ):
            status, answer = await launched_on(place, caller, context)
            assert status == 422, (context, answer)
            refused.add(str(answer["issue"]))
        assert len(refused) == 1
        status, answer = await launched_on(place, caller, f"Observation/{weight['id']}", practitioner)
        assert status == 200, answer
        handle = next(one["valueString"] for one in answer["parameter"] if one["name"] == "launch")
        page = await browser.get("/oauth/authorize", params=asking(scope=SCOPE, launch=handle))
        assert "Ouvert aussi sur" in page.text
        assert "71 kg, 20 nov. 2026" in page.text
        assert "Camille NURSE" in page.text.split("Ouvert aussi sur")[1]

    # One whom she sees as well is not the one whom the launch is about.
    team = {
        "resourceType": "CareTeam", "status": "active", "subject": {"reference": f"Patient/{place.other_patient}"},
        "participant": [{"member": {"reference": practitioner}, "period": {"start": "2020-01-01"}}],
    }  # fmt: skip
    assert (await ask(place, maker, "POST", "CareTeam", team))[0] == 201
    async with place.signed_in() as browser:
        status, answer = await launched_on(place, await caller_of(browser, place), f"Observation/{elsewhere['id']}")
        assert status == 422, answer
        assert {str(answer["issue"])} == refused


async def launched_on(place: Place, caller: Caller, *contexts: str) -> tuple[int, dict[str, Any]]:
    given = parameters(
        client={"valueString": "app"}, context=[{"valueReference": {"reference": one}} for one in contexts]
    )
    return await ask(place, caller, "POST", f"Patient/{place.patient}/$launch", given)


async def nurse_of(place: Place) -> str:
    row = await place.house.database.reading.fetchval("select fhir_res from account where username = 'nurse'")
    return place.house.store.id(Key(0, kind_of("Practitioner"), row))
