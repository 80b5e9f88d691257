"""From the request to the end: two people, one registration, a switch for each organisation."""

import asyncio
from typing import Any

import asyncpg
import orjson
import pytest
from joserfc.jwk import ECKey

from liaison.auth import sessions
from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.oauth2.errors import UnauthorizedClient
from liaison.auth.oauth2.rfc6749 import client_credentials
from liaison.auth.safe_fetch import Fetcher
from liaison.auth.sessions import Act, open_session
from liaison.auth.vendors import activations, conformance, life, requests
from liaison.auth.vendors.request_file import BadFile
from liaison.auth.vendors.requests import NotNow, State
from liaison.fhir.store.database import Database

from .reports import report
from .test_request_file import good

ADMIN, DPO = 11, 12
HERE, THERE = 7001, 7002
BACKEND: dict[str, Any] = {
    "kind": "backend",
    "redirect_uris": None,
    "role": "nurse",
    "scopes": [{"scope": "system/Observation.rs", "reason": "Relever les constantes."}],
}


async def received(database: Database, *, looked_at: bool = True, **changes: Any) -> tuple[requests.VendorRequest, str]:
    """Of software that did well in a sandbox, unless it is not looked at yet."""
    file = good(**changes)
    async with database.writing.acquire() as connection:
        found, secret = await requests.receive(connection, orjson.dumps(file), Fetcher())
        if looked_at and not found.problems:
            await conformance.receive(connection, report(file=file, client_id=found.client_id))
    return found, secret


async def approved(database: Database, number: int, part: str, person: int) -> State:
    async with database.writing.acquire() as connection, connection.transaction():
        return await requests.approve(connection, number, part, person)


async def registered(database: Database, **changes: Any) -> str:
    found, _ = await received(database, **changes)
    await approved(database, found.number, "admin", ADMIN)
    assert await approved(database, found.number, "dpo", DPO) is State.REGISTERED
    return found.client_id


async def test_software_that_nobody_has_looked_at_is_not_approved(database: Database) -> None:
    found, _ = await received(database, looked_at=False)
    for part, person in (("admin", ADMIN), ("dpo", DPO)):
        with pytest.raises(NotNow, match="make conformance"):
            await approved(database, found.number, part, person)
    unseen = report(file=good(), checks=[{"name": "pkce", "result": "not-run", "why": ""}])
    async with database.writing.acquire() as connection:
        await conformance.receive(connection, unseen)
    with pytest.raises(NotNow, match="make conformance"):
        await approved(database, found.number, "admin", ADMIN)


async def test_two_people_approve_and_the_vendor_follows(database: Database) -> None:
    found, secret = await received(database)
    assert found.state is State.TO_APPROVE
    assert secret not in str(await database.reading.fetch("select * from client_request"))
    assert await clients.find(database.reading, found.client_id) is None

    assert await approved(database, found.number, "admin", ADMIN) is State.TO_APPROVE
    followed = await requests.by_link(database.reading, secret)
    assert followed is not None
    assert followed.approved_by == {"admin"}
    assert await approved(database, found.number, "dpo", DPO) is State.REGISTERED

    client = await clients.find(database.reading, found.client_id)
    assert client is not None
    assert client.by_activation
    assert await requests.by_link(database.reading, secret + "x") is None
    assert not await requests.waiting(database.reading)


async def test_what_is_approved_is_opened_at_the_address_of_the_file(database: Database) -> None:
    launched = [{"scope": one, "reason": "Pour ouvrir le dossier affiché."} for one in ("launch", "user/Patient.rs")]
    name = await registered(database, launch_url="https://cabinet.example/launch", scopes=launched)
    client = await clients.find(database.reading, name)
    assert client is not None
    assert client.launch_url == "https://cabinet.example/launch"


async def test_one_person_never_approves_for_both(database: Database) -> None:
    found, _ = await received(database)
    await approved(database, found.number, "admin", ADMIN)

    for part, person in (("dpo", ADMIN), ("admin", DPO), ("gp", DPO)):
        with pytest.raises(NotNow):
            await approved(database, found.number, part, person)
    assert await clients.find(database.reading, found.client_id) is None
    assert await approved(database, found.number, "dpo", DPO) is State.REGISTERED


async def test_of_racers_for_both_parts_one_person_gives_one(database: Database) -> None:
    found, _ = await received(database)

    results = await asyncio.gather(
        *(approved(database, found.number, part, ADMIN) for part in ("admin", "dpo") for _ in range(5)),
        return_exceptions=True,
    )

    assert [one for one in results if not isinstance(one, NotNow)] == [State.TO_APPROVE]


async def test_what_is_refused_or_to_correct_is_never_approved(database: Database) -> None:
    faulty, _ = await received(database, role="wizard")
    assert faulty.state is State.TO_CORRECT
    with pytest.raises(NotNow):
        await approved(database, faulty.number, "admin", ADMIN)
    corrected, _ = await received(database)  # replaces it
    assert [one.number for one in await requests.waiting(database.reading)] == [corrected.number]
    async with database.writing.acquire() as connection, connection.transaction():
        await requests.refuse(connection, corrected.number)
    for part in ("admin", "dpo"):
        with pytest.raises(NotNow):
            await approved(database, corrected.number, part, ADMIN)


async def test_a_name_that_is_taken_is_not_asked_for_again(database: Database) -> None:
    await registered(database)

    with pytest.raises(NotNow, match="taken"):
        await received(database)


async def switch(database: Database, on: bool, client_id: str, organization: int) -> Any:
    async with database.writing.acquire() as connection, connection.transaction():
        if on:
            return await activations.activate(connection, client_id, organization)
        return await activations.deactivate(connection, client_id, organization)


async def stands(database: Database, client_id: str, organization: int) -> bool:
    number = await database.reading.fetchval("select client from client where client_id = $1", client_id)
    async with database.writing.acquire() as connection, connection.transaction():
        return await activations.standing(connection, number, organization)


async def test_an_app_is_on_where_it_is_switched_on(database: Database) -> None:
    name = await registered(database)
    assert not await stands(database, name, HERE)

    assert await switch(database, True, name, HERE) == name

    assert [await stands(database, name, one) for one in (HERE, THERE, activations.PEOPLE)] == [True, False, False]
    client = await clients.find(database.reading, name)
    assert client is not None
    async with database.writing.acquire() as connection:
        opened = {
            organization: await open_session(
                connection, Act((1,), 1, "", client=client.number, organization=organization), "user/*.rs", 300
            )
            for organization in (HERE, THERE)
        }
        assert await switch(database, False, name, HERE)
        assert not await sessions.is_alive(connection, opened[HERE])
        assert await sessions.is_alive(connection, opened[THERE])
    assert not await stands(database, name, HERE)
    assert not await switch(database, False, name, HERE)


async def test_a_backend_has_a_client_for_each_organisation(database: Database) -> None:
    name = await registered(database, **BACKEND)
    here, there = [await switch(database, True, name, one) for one in (HERE, THERE)]
    assert len({name, here, there}) == 3
    async with database.writing.acquire() as connection:
        parent = await clients.find(connection, name)
        assert parent is not None
        with pytest.raises(UnauthorizedClient):
            await client_credentials.open_for(connection, parent, "", 300)
        client = await clients.find(connection, here)
        assert client is not None
        assert (client.organization, client.keys) == (HERE, parent.keys)
        session, _ = await client_credentials.open_for(connection, client, "", 300)
        await switch(database, False, name, HERE)
        assert not await sessions.is_alive(connection, session)
        assert await clients.find(connection, here) is None
        assert await clients.find(connection, there) is not None
    assert await switch(database, True, name, HERE) == here  # the same again, with its history
    with pytest.raises(ClientProblem):
        await switch(database, True, name, activations.PEOPLE)


async def in_transaction(database: Database, work: Any, *values: Any, **more: Any) -> Any:
    async with database.writing.acquire() as connection, connection.transaction():
        return await work(connection, *values, **more)


async def test_new_keys_are_those_of_all_that_acts_by_the_registration(database: Database) -> None:
    name = await registered(database, **BACKEND)
    here = await switch(database, True, name, HERE)
    new = {**ECKey.generate_key("P-384").as_dict(private=True), "kid": "new"}

    await in_transaction(database, life.change_keys, name, jwks={"keys": [new]})

    for one in (name, here):
        client = await clients.find(database.reading, one)
        assert client is not None
        assert [key["kid"] for key in client.keys] == ["new"]
        assert "d" not in client.keys[0]
    faults: list[dict[str, Any]] = [
        {},
        {"jwks": {"keys": []}},
        {"jwks_uri": "http://a.example"},
        {"jwks": {"keys": [new]}, "jwks_uri": "https://a.example"},
    ]
    for wrong in faults:
        with pytest.raises(ClientProblem):
            await in_transaction(database, life.change_keys, name, **wrong)
    with pytest.raises(ClientProblem):
        await in_transaction(database, life.change_keys, here, jwks={"keys": [new]})


async def test_suspension_and_end_reach_everything(database: Database) -> None:
    name = await registered(database, **BACKEND)
    here, there = [await switch(database, True, name, one) for one in (HERE, THERE)]
    await switch(database, False, name, THERE)
    connection: asyncpg.Connection
    async with database.writing.acquire() as connection:
        assert await clients.suspend(connection, name)
        assert [await clients.find(connection, one) for one in (name, here, there)] == [None] * 3
        with pytest.raises(ClientProblem, match="suspended"):
            await switch(database, True, name, THERE)
        assert await clients.suspend(connection, name, active=True)
        assert await clients.find(connection, here) is not None
        assert await clients.find(connection, there) is None  # it was off before
        with pytest.raises(ClientProblem, match="switched off"):
            await clients.suspend(connection, there, active=True)  # nor by its own name
        assert await clients.find(connection, there) is None
    assert await in_transaction(database, life.end, name)
    async with database.writing.acquire() as connection:
        assert await clients.find(connection, here) is None
        assert not await clients.suspend(connection, name, active=True)
        with pytest.raises(ClientProblem, match="not in force"):
            await clients.suspend(connection, here, active=True)
    assert not await in_transaction(database, life.end, name)
    new = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "new"}
    with pytest.raises(ClientProblem, match="ended"):
        await in_transaction(database, life.change_keys, name, jwks={"keys": [new]})
    assert not await life_reviewed(database, name)


async def life_reviewed(database: Database, name: str) -> bool:
    return bool(await in_transaction(database, life.reviewed, name))


async def test_a_review_is_due_in_a_year(database: Database) -> None:
    name = await registered(database)
    due = "select round(extract(epoch from review_due - now()) / 86400) from client where client_id = $1"
    assert await database.reading.fetchval(due, name) == life.REVIEW_EVERY
    await database.writing.execute("update client set review_due = now() - interval '1 day'")

    assert await life_reviewed(database, name)

    assert await database.reading.fetchval(due, name) == life.REVIEW_EVERY
    assert not await life_reviewed(database, "unknown")


async def test_errors_are_counted_by_day_for_the_vendor(database: Database) -> None:
    name = await registered(database, **BACKEND)
    here = await switch(database, True, name, HERE)
    for client_id, error in ((name, "invalid_client"), (here, "invalid_scope"), (here, "invalid_scope"), ("none", "x")):
        await life.count_error(database.writing, client_id, error)

    found = {(one.client_id, one.error): one.times for one in await life.errors_of(database.reading, name)}

    assert found == {(name, "invalid_client"): 1, (here, "invalid_scope"): 2}


async def test_nothing_is_kept_of_a_file_with_a_private_key(database: Database) -> None:
    key = {**ECKey.generate_key("P-384").as_dict(private=True), "kid": "1"}
    with pytest.raises(BadFile):
        await received(database, jwks={"keys": [key]})
    assert not await database.reading.fetchval("select count(*) from client_request")


async def test_a_name_that_is_taken_stops_no_other_software(database: Database) -> None:
    name = await registered(database, **BACKEND)
    async with database.writing.acquire() as connection, connection.transaction():
        taken = [f"{name}.1", f"{name}.3"]  # by an administrator, at the console
        for one in taken:
            await clients.add(
                connection, client_id=one, kind="app", name=one, scope="user/Patient.rs",
                redirect_uris=["https://a.example/cb"],
            )  # fmt: skip
        made = [await activations.activate(connection, name, place) for place in (HERE, THERE)]
    assert made == [f"{name}.2", f"{name}.4"]


@pytest.mark.parametrize("kid", ["a\0b", "\0"])
async def test_a_key_that_the_database_cannot_keep_is_refused_in_words(database: Database, kid: str) -> None:
    name = await registered(database)
    key = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": kid}
    async with database.writing.acquire() as connection, connection.transaction():
        with pytest.raises(ClientProblem, match=r"U\+0000"):
            await life.change_keys(connection, name, jwks={"keys": [key]})
