import asyncio
from typing import Any

import asyncpg
import pytest

from liaison.auth.access.classes import Class
from liaison.fhir import model
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Conflict, NotFound, Unavailable
from liaison.fhir.store import erasure
from liaison.fhir.store.contract import Change

from .conftest import held_up

OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "SpO2"}}


async def test_what_is_written_is_read_back_byte_for_byte(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    change = records.change(OBSERVATION, patient)
    await records.write(change)

    found = await records.store.read(records.caller, change.key)

    assert found is not None and found.body == model.dump(change.tree)
    assert found.row.version == 1 and found.row.grants[0].rule == 7
    assert records.hooks.seen[-3:] == ["classify", "before", "after"]


async def test_hidden_and_absent_are_the_same_nothing(records: Any) -> None:
    patient = await records.patient()
    key = await records.observation(patient)
    nobody = await records.session(2, 2)
    absent = records.store.new_key(patient, key.kind)

    for asked in (key, absent):
        assert await records.store.read(nobody, asked) is None
        assert await records.store.version(nobody, asked, 1) is None


async def test_the_planted_fault_of_an_open_filter_would_be_seen(records: Any) -> None:
    """The sibling of the test above: with a filter that lets all through, the hidden row comes out of SQL."""
    from liaison.auth.access.filter import CONJUNCTS, Filter
    from liaison.fhir.store.reader import Reader

    patient = await records.patient()
    key = await records.observation(patient)
    await records.session(2, 2)
    await records.grant(patient, 1)
    careless = Filter({**CONJUNCTS, "principal": "true"})
    reader = Reader(records.database, records.store.vault, careless)

    assert await reader.read(records.caller_of(2), key) is not None
    await reader.close()


async def test_reads_that_wait_together_share_a_query_and_each_gets_its_own(records: Any) -> None:
    mine, others = await records.patient(), await records.patient()
    await records.grant(mine, 1)
    keys = [await records.observation(patient) for patient in (mine, others, mine)]
    keys.append(records.store.new_key(mine, keys[0].kind))

    found = await asyncio.gather(*(records.store.read(records.caller, key) for key in [*keys, *keys]))

    assert [one.row.key if one else None for one in found] == [keys[0], None, keys[2], None] * 2


async def test_every_class_of_a_row_must_be_granted(records: Any) -> None:
    patient = await records.patient()
    records.hooks.classes = Class.CLIN | Class.PSY
    key = await records.observation(patient)
    await records.grant(patient, 1, Class.CLIN)

    assert await records.store.read(records.caller, key) is None
    await records.grant(patient, 1, Class.PSY)
    assert await records.store.read(records.caller, key) is not None


async def test_history_and_versions_of_an_update_and_a_delete(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    first = records.change(OBSERVATION, patient)
    await records.write(first)
    second = records.change({**OBSERVATION, "status": "amended"}, patient, version=2, key=first.key)
    await records.write(second)
    before = await records.store.read(records.caller, first.key)
    await records.write(Change("delete", first.key, "Observation", 3, None, before_row=before.row))

    read, store = records.caller, records.store
    history = [await store.version(read, first.key, number) for number in (3, 2, 1)]
    assert [(one.row.version, one.row.deleted, one.body) for one in history] == [
        (3, True, b""),
        (2, False, model.dump(second.tree)),
        (1, False, model.dump(first.tree)),
    ]
    gone = await store.read(read, first.key)
    assert gone.row.deleted
    old = await store.version(read, first.key, 1)
    assert old.body == model.dump(first.tree)
    assert await store.version(read, first.key, 4) is None
    assert await store.version(read, first.key, 10**12) is None


async def test_a_version_is_superseded_once(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    first = records.change(OBSERVATION, patient)
    await records.write(first)

    async def update() -> bool:
        try:
            await records.write(records.change(OBSERVATION, patient, version=2, key=first.key))
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(update() for _ in range(5)))) == [False] * 4 + [True]
    found = [await records.store.version(records.caller, first.key, number) for number in (1, 2, 3)]
    assert [one and one.row.version for one in found] == [1, 2, None]


async def test_the_rows_of_a_transaction_that_fails_are_not_there(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    good, stale = records.change(OBSERVATION, patient), records.change(OBSERVATION, patient, version=7)

    with pytest.raises(Conflict):
        await records.write(good, stale)

    assert await records.store.read(records.caller, good.key) is None
    assert await records.database.reading.fetchval("select count(*) from index_token") == 0


async def test_index_rows_and_identity_tokens_follow_the_version(records: Any) -> None:
    patient = await records.patient()
    key = await records.observation(patient, "59408-5")
    fetchval = records.database.reading.fetchval
    assert await fetchval("select array_agg(version) from index_token where res = $1", key.res) == [1]
    assert await fetchval("select count(*) from index_date where res = $1", key.res) == 1
    assert await fetchval("select count(*) from identity_token where res = $1", key.res) == 1

    tree = {"resourceType": "Observation", "status": "final", "code": {"coding": [{"code": "new"}]}}
    await records.write(records.change(tree, patient, version=2, key=key))

    assert await fetchval("select array_agg(version order by version) from index_token where res = $1", key.res) == [
        1,
        2,
    ]
    assert await fetchval("select count(*) from identity_token where res = $1", key.res) == 0


async def test_equal_codes_of_two_patients_have_unrelated_tokens(records: Any) -> None:
    keys = [await records.observation(await records.patient()) for _ in range(2)]

    tokens = await records.database.reading.fetch(
        "select token from index_token where res = any($1)", [k.res for k in keys]
    )
    assert len({row[0] for row in tokens}) == 2


async def test_thousands_of_changes_take_a_few_round_trips(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = await records.patient()
    changes = [records.change(OBSERVATION, patient) for _ in range(1500)]
    asked: list[str] = []
    async with records.database.writing.acquire() as connection:
        connection.add_query_logger(lambda record: asked.append(record.query))
        async with connection.transaction():
            await records.store.write(connection, records.caller, changes, {})

    assert len([query for query in asked if not query.startswith(("BEGIN", "COMMIT"))]) <= 3
    assert (
        await records.database.reading.fetchval("select count(*) from version where kind = $1", changes[0].key.kind)
        == 1500
    )


async def test_the_directory_is_kept_apart_and_sealed_under_the_territory(records: Any) -> None:
    change = records.change({"resourceType": "Organization", "name": "MSP du Causse"}, 0)
    await records.write(change)

    found = await records.store.read(records.caller, change.key)
    assert found.body == model.dump(change.tree)
    assert await records.database.reading.fetchval("select count(*) from directory_version") == 1
    assert await records.store.read(records.caller_of(99), change.key) is None


async def test_an_id_of_the_directory_never_names_a_patients_resource(records: Any) -> None:
    patient = await records.patient()
    organization = records.store.id(records.store.new_key(0, kind_of("Organization")))
    observation = records.store.id(records.store.new_key(patient, kind_of("Observation")))

    assert records.store.key("Organization", organization) is not None
    assert records.store.key("Observation", organization) is None
    assert records.store.key("Observation", observation) is not None


async def test_an_erased_patient_can_be_neither_read_nor_written(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    key = await records.observation(patient)
    assert await records.store.read(records.caller, key) is not None

    async with records.database.writing.acquire() as connection, connection.transaction():
        assert await erasure.erase(connection, records.store.vault, patient)

    assert await records.store.read(records.caller, key) is None
    with pytest.raises(NotFound):
        await records.observation(patient)


async def test_an_erasure_waits_for_a_write_under_way(records: Any) -> None:
    patient = await records.patient()
    database = records.database
    async with database.writing.acquire() as writing, database.writing.acquire() as erasing:
        transaction = writing.transaction()
        await transaction.start()
        await records.store.write(writing, records.caller, [records.change(OBSERVATION, patient)], {})

        async def erase() -> None:
            async with erasing.transaction():
                await erasure.erase(erasing, records.store.vault, patient)

        waiting = asyncio.create_task(erase())
        await held_up(database, waiting)
        assert not waiting.done()
        await transaction.commit()
        await waiting

    assert await database.reading.fetchval("select count(*) from version where patient = $1", patient) == 0


async def test_a_row_swapped_in_the_database_is_not_shown(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    one, other = await records.observation(patient), await records.observation(patient)
    await records.database.writing.execute(
        "update version v set sealed = o.sealed from version o where v.res = $1 and o.res = $2", one.res, other.res
    )

    with pytest.raises(Unavailable, match="integrity"):
        await records.store.read(records.caller, one)
    assert await records.store.read(records.caller, other) is not None


async def test_an_old_version_put_back_is_not_shown(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    key = await records.observation(patient)
    await records.write(records.change(OBSERVATION, patient, version=2, key=key))
    await records.database.writing.execute(
        "update version v set sealed = o.sealed from version o where v.res = $1 and o.res = $1"
        " and v.version = 2 and o.version = 1",
        key.res,
    )

    with pytest.raises(Unavailable, match="integrity"):
        await records.store.read(records.caller, key)


async def test_a_process_that_has_no_key_at_hand_finds_it_with_the_row(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    key = await records.observation(patient)
    records.store.vault.forget(patient)

    assert await records.store.reader.read(records.caller, key) is not None
    assert records.store.vault.cached(patient) is not None


async def test_reads_recover_when_their_connection_was_cut(records: Any) -> None:
    patient = await records.patient()
    await records.grant(patient, 1)
    key = await records.observation(patient)
    assert await records.store.read(records.caller, key) is not None

    async with records.database.writing.acquire() as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )

    assert await records.store.read(records.caller, key) is not None
    assert await records.store.version(records.caller, key, 1) is not None


async def test_equal_identifiers_wait_for_each_other(records: Any) -> None:
    """hfs#964: of first writes, none of which finds a row to lock, several were made."""
    order: list[int] = []
    token = records.store.lock_tokens({"identifier": [{"system": "urn:x", "value": "1"}]})

    async def locked(n: int) -> None:
        async with records.database.writing.acquire() as connection, connection.transaction():
            await records.store.lock(connection, token)
            order.append(n)
            await asyncio.sleep(0.02)
            order.append(n)

    for _ in range(2):  # the first time the rows are made, the second time they are there
        await asyncio.gather(*(locked(n) for n in range(4)))
        assert all(order[at] == order[at + 1] for at in range(0, len(order), 2))


async def test_locks_taken_in_any_order_never_deadlock(records: Any) -> None:
    tokens = [bytes([n]) * 16 for n in range(6)]

    async def locked(some: list[bytes]) -> None:
        async with records.database.writing.acquire() as connection, connection.transaction():
            await records.store.lock(connection, some)
            await asyncio.sleep(0.005)

    for _ in range(3):
        await asyncio.gather(*(locked(tokens[n:] + tokens[:n]) for n in range(6)))


async def test_the_lock_of_a_condition_is_that_of_its_identifier(records: Any) -> None:
    store = records.store
    [of_tree] = store.lock_tokens({"identifier": [{"system": "urn:x", "value": "a b"}]})
    assert store.lock_token_of("Patient", "identifier=urn:x|a%20b") == of_tree
    assert store.lock_token_of("Observation", "identifier=urn:x%7Ca+b&code=1") == of_tree
    assert store.lock_token_of("Patient", "name=x") != store.lock_token_of("Observation", "name=x") != of_tree


async def test_a_store_cannot_be_had_without_filter_and_hooks(records: Any) -> None:
    from liaison.fhir.store import Store

    with pytest.raises(TypeError):
        Store(records.database, records.store.vault)  # type: ignore[call-arg]  # the point of the test


async def test_a_connection_without_rights_on_the_server_is_not_the_services(records: Any) -> None:
    """The service's role owns its database and nothing else: no files, no programs, no other databases."""
    for statement in ("copy (select 1) to program 'true'", "select pg_read_file('PG_VERSION')", "create database x"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await records.database.writing.execute(statement)
