"""Accès en ligne: staff say whose papers they have seen, and a representation that is taken back takes the account."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.relations import Relation
from liaison.auth.people import accounts, identity_checks
from liaison.fhir.store.contract import Key, Request

from ...oauth.conftest import PASSWORD, Place, agree, field, query_of, redeem, sign_in


@pytest.fixture
async def nurse(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        yield browser


async def write(place: Place, method: str, path: str, tree: dict[str, Any]) -> dict[str, Any]:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    answer = await place.house.engine.handle(
        maker, Request(method, path, "", orjson.dumps(tree), {"prefer": "return=representation"})
    )
    assert answer.status in (200, 201), answer.body
    made: dict[str, Any] = orjson.loads(answer.body)
    return made


async def guardian(place: Place) -> tuple[dict[str, Any], Key]:
    """The patient has a guardian, whose judgment the nurse has seen."""
    nurse = await accounts.by_username(place.house.database.reading, "nurse")
    assert nurse is not None
    seen = [
        {"url": "measure", "valueCode": "tutelle"},
        {"url": "seenBy", "valueReference": {"reference": place.house.store.reference(nurse.person)}},
        {"url": "seenOn", "valueDate": "2024-01-01"},
    ]
    tree = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{place.patient}"},
        "active": True,
        "name": [{"family": "MAHO", "given": ["Sylvain"]}],
        "extension": [{"url": vocabulary.REPRESENTATION, "extension": seen}],
    }
    made = await write(place, "POST", "RelatedPerson", tree)
    key = place.house.store.key("RelatedPerson", made["id"])
    assert key is not None
    return made, key


async def say(browser: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    page = await browser.get(path)
    return await browser.post(path, data={"csrf": field(page.text, "csrf"), **form})


async def test_what_was_seen_waits_for_an_administrator_and_is_in_the_journal(
    place: Place,
    nurse: httpx.AsyncClient,
) -> None:
    # The patient of the others has an account already: this one's is taken away.
    await place.house.database.writing.execute("delete from account where username = 'patient'")
    path, reading = f"/dossiers/{place.patient}/acces", place.house.database.reading
    assert path in (await nurse.get(f"/dossiers/{place.patient}")).text
    person = f"Patient/{place.patient}"
    for form in (
        {},
        {"personne": person},
        {"personne": person, "piece": "library-card"},
        {"personne": f"Patient/{place.other_patient}", "piece": "passport"},
        {"personne": person, "piece": "passport", "vue": "hier"},
        {"personne": person, "piece": "passport", "vue": "2020-01-01"},
    ):
        assert (await say(nurse, path, **form)).status_code == 422, form
    assert await identity_checks.waiting(reading) == []

    done = await say(nurse, path, personne=person, piece="passport")

    assert (done.status_code, done.headers["location"]) == (303, path)
    (waiting,) = await identity_checks.waiting(reading)
    by = await accounts.by_username(reading, "nurse")
    assert by is not None
    assert (waiting.person, waiting.by) == (place.house.store.key("Patient", place.patient), by.number)
    assert "Un administrateur peut ouvrir le compte" in (await nurse.get(path)).text
    journaled = "select count(*) from journal_entry where event = 30 and patient = $1 and person = $2"
    assert await reading.fetchval(journaled, waiting.person.patient, by.person.res) == 1


async def test_only_staff_who_see_the_record_say_so(place: Place, nurse: httpx.AsyncClient) -> None:
    assert (await nurse.get(f"/dossiers/{place.other_patient}/acces")).status_code == 404
    for other in ("patient", "admin", "dpo"):
        async with place.signed_in(other) as browser:
            assert (await browser.get(f"/dossiers/{place.patient}/acces")).status_code == 404, other


async def test_a_representatives_account_ends_with_the_representation(
    place: Place,
    nurse: httpx.AsyncClient,
) -> None:
    tree, key = await guardian(place)
    path, writing = f"/dossiers/{place.patient}/acces", place.house.database.writing
    shown = (await nurse.get(path)).text
    assert "Sylvain MAHO" in shown
    assert "A un compte." in shown  # the patient's own
    assert (await say(nurse, path, personne=f"RelatedPerson/{tree['id']}", piece="id-card")).status_code == 303
    async with writing.acquire() as connection, connection.transaction():
        await accounts.add(connection, "s.maho", key, password=PASSWORD)
    async with place.signed_in("s.maho") as browser:
        assert (await browser.get(f"/dossiers/{place.patient}")).status_code == 200

        await write(place, "PUT", f"RelatedPerson/{tree['id']}", {**tree, "active": False})

        assert (await browser.get(f"/dossiers/{place.patient}")).headers["location"].startswith("/connexion")
        open_ = "select count(*) from access_session s join account a using (account) where a.username = 's.maho' and s.ended_at is null"
        assert await writing.fetchval(open_) == 0
    async with place.browser() as browser:
        assert (await sign_in(browser, "s.maho")).status_code == 403
    assert "A eu un compte, qui est fini" in (await nurse.get(path)).text


async def test_the_last_day_of_a_mandate_closes_the_sign_in_and_what_is_open(
    place: Place, nurse: httpx.AsyncClient
) -> None:
    """A measure has a term (code civil, art. 441). Nobody writes anything on the day after: the clock alone closes it."""
    tree, key = await guardian(place)
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)  # and lasts as long as that second
    await write(place, "PUT", f"RelatedPerson/{tree['id']}", {**tree, "period": {"end": ends.isoformat()}})
    path = f"/dossiers/{place.patient}/acces"
    assert (await say(nurse, path, personne=f"RelatedPerson/{tree['id']}", piece="id-card")).status_code == 303
    async with place.house.database.writing.acquire() as connection, connection.transaction():
        await accounts.add(connection, "s.maho", key, password=PASSWORD)
    async with place.signed_in("s.maho") as browser:
        assert (await browser.get(f"/dossiers/{place.patient}")).status_code == 200
        answer = await agree(browser, scope="launch/patient patient/*.rs")
        token = (await redeem(browser, query_of(answer)["code"])).json()["access_token"]
        caller = await place.house.authenticator.caller(f"Bearer {token}")
        assert (await place.house.engine.handle(caller, Request("GET", f"Patient/{place.patient}"))).status == 200

        await asyncio.sleep(max(0, (ends - datetime.now(UTC)).total_seconds()) + 1.1)

        assert (await browser.get(f"/dossiers/{place.patient}")).headers["location"].startswith("/connexion")
    assert (await place.house.engine.handle(caller, Request("GET", f"Patient/{place.patient}"))).status == 404
    async with place.browser() as browser:
        assert (await sign_in(browser, "s.maho")).status_code == 403


async def test_a_proof_that_is_too_old_loses_nothing_that_was_chosen(place: Place, nurse: httpx.AsyncClient) -> None:
    await place.house.database.writing.execute("delete from account where username = 'patient'")
    path, writing = f"/dossiers/{place.patient}/acces", place.house.database.writing
    await writing.execute("update browser_session set started_at = now() - interval '31 minutes'")
    asked = await say(nurse, path, personne=f"Patient/{place.patient}", piece="passport")
    confirm = await nurse.get(asked.headers["location"])
    form = {name: field(confirm.text, name) for name in ("csrf", "suite")}
    proven = await nurse.post("/confirmer", data={**form, "secret": PASSWORD})
    again = (await nurse.get(proven.headers["location"])).text
    assert "Rien n’est encore enregistré" in again
    assert await identity_checks.waiting(writing) == []
    sent = {name: field(again, name) for name in ("csrf", "personne", "piece")}
    assert (await nurse.post(path, data=sent)).status_code == 303
    assert [one.document for one in await identity_checks.waiting(writing)] == ["passport"]


async def test_a_relative_whom_the_person_has_named_may_have_an_account_and_another_may_not(
    place: Place,
    nurse: httpx.AsyncClient,
) -> None:
    tree = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{place.patient}"},
        "active": True,
        "name": [{"family": "LE GOFF", "given": ["Anna"]}],
    }
    made = await write(place, "POST", "RelatedPerson", tree)
    key, path = place.house.store.key("RelatedPerson", made["id"]), f"/dossiers/{place.patient}/acces"
    assert key is not None
    assert "Anna LE GOFF" not in (await nurse.get(path)).text
    form = {"personne": f"RelatedPerson/{made['id']}", "piece": "id-card"}
    page = (await nurse.get("/mes-connexions")).text  # the patient has an account: the form is not shown
    refused = await nurse.post(path, data={"csrf": field(page, "csrf"), **form})
    assert refused.status_code == 422
    await place.house.database.writing.execute(
        "insert into relation (patient, principal, relation, source_kind, source_res, ordinal, detail, valid_from, valid_to)"
        " values ($1, $2, $3, 1, 1, 0, '{\"holder\": \"related\"}', '-infinity', 'infinity')",
        key.patient,
        key.res,
        int(Relation.CONSENT),
    )
    assert "proche que la personne a nommé" in (await nurse.get(path)).text
    assert (await say(nurse, path, **form)).status_code == 303
    (waiting,) = await identity_checks.waiting(place.house.database.reading, [key])
    assert waiting.document == "id-card"
