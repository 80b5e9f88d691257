"""A recent proof for what gives rights: asked of people who write the directory over FHIR, of nobody else."""

import orjson
import pytest

from liaison.auth.access import internal
from liaison.auth.oauth2.rfc9470 import ProofTooOld
from liaison.fhir.errors import FhirError
from liaison.fhir.store.contract import Answer, Request
from liaison.services.api import errors

from .conftest import Place, agree, place, query_of, redeem, settings

__all__ = ["place", "settings"]

PRACTICE = "user/Patient.rs user/PractitionerRole.cruds user/Organization.cruds user/Practitioner.cruds user/Location.cruds openid"


async def token(place: Place, username: str = "admin") -> str:
    async with place.signed_in(username) as browser:
        code = query_of(await agree(browser, scope=PRACTICE))["code"]
        content: dict[str, str] = (await redeem(browser, code)).json()
        return content["access_token"]


async def write(place: Place, given: str, tree: dict[str, object]) -> Answer:
    caller = await place.house.authenticator.caller(f"Bearer {given}")
    body = orjson.dumps(tree)
    try:
        return await place.house.engine.handle(caller, Request("POST", str(tree["resourceType"]), "", body))
    except FhirError as error:  # as the edge does
        return errors.answer(error)


async def older(place: Place, minutes: int = 31) -> None:
    """Every sign-in and every consent of this base is that much older."""
    seconds = minutes * 60
    writing = place.house.database.writing
    await writing.execute("update browser_session set started_at = now() - make_interval(secs => $1)", float(seconds))
    await writing.execute(
        "update authorization_code set request = jsonb_set(request, '{signed_in_at}',"
        " to_jsonb((request->>'signed_in_at')::bigint - $1::bigint))",
        seconds,
    )


@pytest.mark.parametrize("type_", ["PractitionerRole", "Organization", "Practitioner"])
async def test_an_old_sign_in_is_sent_for_a_new_one(place: Place, type_: str) -> None:
    given = await token(place)
    tree = {"resourceType": type_, "active": True, **({"name": "Cabinet"} if type_ == "Organization" else {})}
    assert (await write(place, given, tree)).status == 201
    await older(place)
    refused = await write(place, given, tree)
    assert refused.status == 401, refused.body
    outcome = orjson.loads(refused.body)
    assert "less than 30 minutes" in outcome["issue"][0]["diagnostics"]
    # What gives no right asks for nothing.
    assert (await write(place, given, {"resourceType": "Location", "name": "Salle"})).status == 201


async def test_emergency_access_asks_software_for_a_sign_in_of_now_too(place: Place) -> None:
    """A token that is renewed for weeks would open any record."""
    given = await token(place, "nurse")
    tree = {"resourceType": "Patient", "name": [{"family": "X", "given": ["Y"]}], "birthDate": "1950-01-01"}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "resource": {**tree, "gender": "female"}},
            {"name": "reason", "valueString": "Trouvée inconsciente, ne peut répondre"},
        ],
    }

    async def asked() -> Answer:
        caller = await place.house.authenticator.caller(f"Bearer {given}")
        request = Request("POST", "Patient/$emergency-access", "", orjson.dumps(body))
        try:
            return await place.house.engine.handle(caller, request)
        except FhirError as error:
            return errors.answer(error)

    assert (await asked()).status == 404
    await older(place)
    refused = await asked()
    assert refused.status == 401
    assert "insufficient_user_authentication" in dict(refused.headers)["www-authenticate"]


async def test_a_consent_that_is_not_known_any_more_is_too_old(place: Place) -> None:
    given = await token(place)
    await place.house.database.writing.execute("delete from authorization_code")
    assert (await write(place, given, {"resourceType": "Organization", "name": "Cabinet"})).status == 401


async def test_who_may_not_write_it_hears_that_and_not_of_any_proof(place: Place) -> None:
    given = await token(place, "nurse")
    await older(place)
    assert (await write(place, given, {"resourceType": "Organization", "name": "Cabinet"})).status == 403


async def test_what_the_service_does_itself_needs_nobodys_proof(place: Place) -> None:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    await older(place)
    body = orjson.dumps({"resourceType": "Organization", "name": "Cabinet"})
    assert (await place.house.engine.handle(maker, Request("POST", "Organization", "", body))).status == 201


def test_the_answer_says_what_to_ask_for() -> None:
    headers = dict(errors.answer(ProofTooOld()).headers)
    assert 'error="insufficient_user_authentication"' in headers["www-authenticate"]
    assert 'max_age="1800"' in headers["www-authenticate"]
