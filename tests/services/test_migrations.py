"""The history of the schema leads to the schema that the code describes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

import liaison.auth.schema  # noqa: F401  # its tables join the same metadata
from liaison.fhir.store.database import UnknownSchema, check_schema
from liaison.fhir.store.schema import metadata
from liaison.services import migrations
from liaison.services.migrations import migrate

COLUMNS = """
select table_name, column_name, data_type, udt_name, is_nullable,
       replace(column_default, $1 || '.', '') as column_default
from information_schema.columns where table_schema = $1 and table_name <> 'alembic_version'
order by table_name, column_name
"""
INDEXES = """
select tablename, indexname, replace(indexdef, $1 || '.', '') as indexdef
from pg_indexes where schemaname = $1 and tablename <> 'alembic_version' order by indexname
"""
CONSTRAINTS = """
select r.relname, c.conname, c.contype::text, replace(pg_get_constraintdef(c.oid), $1 || '.', '') as said
from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = c.connamespace
where n.nspname = $1 and r.relname <> 'alembic_version' order by r.relname, c.conname
"""


async def described(connection: asyncpg.Connection, schema: str) -> dict[str, Sequence[Any]]:
    return {
        name: [tuple(row) for row in await connection.fetch(query, schema)]
        for name, query in (("columns", COLUMNS), ("indexes", INDEXES), ("constraints", CONSTRAINTS))
    }


async def written_anew(url: str) -> None:
    """The tables that the code describes, in a schema of their own."""

    def create(connection: Connection) -> None:
        connection.execute(text("create schema anew"))
        connection.execute(text("set local search_path = anew"))
        metadata.create_all(connection)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(create)
    finally:
        await engine.dispose()


async def test_migrating_gives_the_tables_that_the_code_describes(database_url: str) -> None:
    """hapi-fhir#8027: a migration skipped columns in silence. hapi-fhir#7111: another dropped indexes."""
    await written_anew(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        migrated, anew = await described(connection, "public"), await described(connection, "anew")
    finally:
        await connection.close()

    assert migrated["columns"], "the migrated database is empty"
    assert migrated == anew


@pytest.mark.parametrize(
    "drift",
    [
        "alter table anew.patient add column forgotten integer",
        "drop index anew.access_grant_find",
        "alter table anew.account drop constraint account_username_key",
        "alter table anew.patient alter column state drop default",
    ],
)
async def test_a_drift_between_the_two_is_seen(database_url: str, drift: str) -> None:
    await written_anew(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(drift)
        migrated, anew = await described(connection, "public"), await described(connection, "anew")
    finally:
        await connection.close()

    assert migrated != anew


def test_each_revision_follows_a_smaller_one() -> None:
    """`check_schema` tells an older base from a newer one by their names."""
    scripts = list(ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions())
    assert [one.down_revision for one in scripts][:-1] == [one.revision for one in scripts][1:]
    assert [one.revision for one in scripts] == sorted((one.revision for one in scripts), reverse=True)


async def test_a_base_of_the_release_before_is_refused_then_brought_up_to_date(database_url: str) -> None:
    await written_anew(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        # As the first revision left it, with someone in it.
        await connection.execute(
            "drop table reindexing, search_parameter, search_revision, totp, passkey, ceremony, launch, pushed_request,"
            " rate_limit, sent_form, kept_form, client_request, client_approval, client_activation, client_error,"
            " first_code, recovery, sealed_code, notice, identity_check, referring, legal_hold,"
            " known_profession, awaiting_role, put_aside, adopted_rules, regranting, archived_record, visit_key, sent_visit,"
            " designated, alert_reader, alert_change, alert_message, mailbox_place, service_number, visit_form, saved_view,"
            " journal_verdict, access_question, named_review, import_destroyed,"
            " unusual_choice, unusual_progress, unusual_access, unusual_finding, unusual_word, review_case, case_step, signal_watch, signal_pass, signal_adoption, published_definition, planned, plan_to_end;"
            "alter table access_session drop column subject, drop column proven, drop column acts_for;"
            "alter table account drop column ends_at, drop column pin_failures, drop column pin_locked_until;"
            "alter table browser_session drop column factors, drop column seen_at,"
            " drop column attested, drop column exercices, drop column provider_session, drop column provider_token,"
            " drop column device, drop column phone, drop column opened_at;"
            "alter table phone drop column enrolled_by;"
            "alter table client drop launch_url, drop post_logout_redirect_uris, drop introspects, drop jwks_uri,"
            " drop binding, drop certificate_subject, drop exchanges, drop by_activation, drop registration,"
            " drop review_due, drop ended_at;"
            "alter table identity_attempt drop answerable, drop account;"  # and their indexes with them
            "create index identity_attempt_by_asker on identity_attempt (asker, at);"
            "drop index authorization_code_by_family, journal_entry_by_refusal, journal_checkpoint_handover;"
            "update alembic_version set version_num = '0001'"
        )
        await connection.execute("insert into patient (patient, shelf, wrapped) values (1, 1, 'x')")

        with pytest.raises(UnknownSchema, match="liaison migrate"):
            await check_schema(database_url)
        await migrate(database_url)
        await check_schema(database_url)

        assert await described(connection, "public") == await described(connection, "anew")
        assert await connection.fetchval("select array_agg(patient) from patient") == [1]
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            "create table alembic_version (version_num text); insert into alembic_version values ('9999')",
            "newer Liaison",
        ),
        (
            "create table alembic_version (version_num text); insert into alembic_version values ('restoring')",
            "restore",
        ),
        ("create table orders (number integer)", "another program"),
    ],
)
async def test_a_base_that_is_not_ours_to_migrate_is_left_as_it_is(database_url: str, found: str, words: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"drop schema public cascade; create schema public; {found}")
        before = await described(connection, "public")

        with pytest.raises(UnknownSchema, match=words):
            await migrate(database_url)

        assert await described(connection, "public") == before
    finally:
        await connection.close()


async def test_what_a_destruction_once_left_of_a_record_goes(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for patient, state in ((1, 0), (2, 1)):
            await connection.execute(
                "insert into patient (patient, shelf, wrapped, state) values ($1, 1, $2, $3)", patient, b"", state
            )
            await connection.execute(
                "insert into legal_hold (patient, hold, ground, sealed) values ($1, 1, '', '')", patient
            )
        await connection.execute(
            "drop table alert_change, alert_message, mailbox_place, service_number, visit_form, published_definition, saved_view, planned, plan_to_end;"
            "alter table alert_reader drop channels, drop addresses; alter table notice drop organization, drop person; update alembic_version set version_num = '0048'"
        )
        await migrate(database_url)

        assert await connection.fetch("select patient from legal_hold") == [(1,)]
        assert len(await connection.fetch("select from patient")) == 2
    finally:
        await connection.close()


async def test_a_restore_that_was_cut_short_is_not_sent_to_migrate(database_url: str) -> None:
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("update alembic_version set version_num = 'restoring'")
    finally:
        await connection.close()
    with pytest.raises(UnknownSchema, match=r"deploy/restore\.md"):
        await check_schema(database_url)
