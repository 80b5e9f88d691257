"""The promises of schema.py about patients, read from the catalogue and from statements."""

from types import ModuleType
from typing import Any

import pytest

import liaison.auth.schema  # noqa: F401  # its tables join the same metadata
from liaison.fhir.store.database import Database
from liaison.fhir.store.schema import metadata

# Found by token across patients, or kept for good beside them.
IDENTITY = {"import_ledger"}
JOURNAL = {"journal_entry"}
TOLD = {"notice", "access_question"}
"""What the officer is to look at, whoever it is about."""
DELIVERED = {"sent_visit"}
"""Known by the number that a telephone gave it, before whose it is can be read."""

UNIQUE = """
    select c.relname as table, i.relname as index, array_agg(a.attname::text) as columns
    from pg_index x
    join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any(x.indkey::int2[])
    where x.indisunique and c.relnamespace = 'public'::regnamespace
      and exists (select from pg_attribute p where p.attrelid = c.oid and p.attname = 'patient')
    group by 1, 2
"""


async def without_patient(database: Database) -> list[str]:
    return sorted(
        index
        for table, index, columns in await database.reading.fetch(UNIQUE)
        if "patient" not in columns and table not in IDENTITY | JOURNAL | TOLD | DELIVERED
    )


async def test_no_unique_index_of_a_patient_table_leaves_out_the_patient(database: Database) -> None:
    assert await without_patient(database) == []


@pytest.mark.parametrize(
    "fault",
    [
        "create unique index planted on version (kind, res)",
        "alter table index_token add constraint planted unique (token)",
        "create unique index planted on relation (source_res) where ordinal = 0",
    ],
)
async def test_a_planted_one_is_found(database: Database, fault: str) -> None:
    await database.writing.execute(fault)

    assert await without_patient(database) == ["planted"]


async def test_no_foreign_key_ties_patients_together(database: Database) -> None:
    assert await database.reading.fetch("select conname from pg_constraint where contype = 'f'") == []


async def test_dates_of_people_have_no_column(database: Database) -> None:
    """In clear: only moments that order pages, of the service's own life, or of the journal."""
    known = {"at", "clinical", "low", "high"}
    rows = await database.reading.fetch(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and data_type in ('date', 'timestamp without time zone', 'timestamp with time zone')"
    )
    record = {"version", "index_token", "index_date", "patient", "identity_token"}
    assert {column for table, column in rows if table in record} - known == {"made_at"}


async def test_the_tables_are_those_of_the_metadata(database: Database) -> None:
    found = {
        row[0] for row in await database.reading.fetch("select tablename from pg_tables where schemaname = 'public'")
    }
    assert found == set(metadata.tables) | {"alembic_version"}


def patient_tables() -> set[str]:
    return {name for name, table in metadata.tables.items() if "patient" in table.c} - IDENTITY - JOURNAL


@pytest.mark.parametrize(
    ("statement", "aliases"),
    [
        ("select 1 from version v join access_grant g on g.mask = v.classes where v.patient = $1", ["g"]),
        ("select 1 from version v, index_token t where t.res = v.res", ["t", "v"]),
        ("select 1 from version v where exists (select from version o where o.res = v.res and v.patient = 1)", ["o"]),
        ("delete from index_token using version where index_token.patient = 1", ["version"]),
        ("select 1 from version v join access_grant g on g.patient = v.patient", []),
        ("select 1 from version as v join index_token d using (patient, kind, res)", []),
        ("select 1 from version v where (v.patient, v.res) in (select patient, res from relation r where r.patient = 1)", []),
        ("select 1 from version where res = $1", []),
        ("select 1 from version v -- join access_grant g", []),
        ("select ', version x' from version v", []),
        ("select patient, version, relation from relation r", []),
        ("select patient from version v union select p.patient from patient p", []),
        ("select 1 from version v union select p.patient from patient p, relation r where p.patient = 1", ["r"]),
    ],
)  # fmt: skip
def test_the_reading_of_statements(statement: str, aliases: list[str], statements: ModuleType) -> None:
    assert statements.unscoped(statement, patient_tables()) == aliases


async def test_a_faulty_statement_of_the_service_is_caught_whatever_the_test(
    database: Database, statements: ModuleType, sent: Any
) -> None:
    """The sibling of the fixture in tests/conftest.py that looks at every statement."""
    faulty = "select count(*) from version v join relation r on r.source_res = v.res"
    await database.fetch(faulty)  # sent by liaison.fhir.store.database

    [(text, sender)] = [one for one in sent.new() if one[0] == faulty]
    assert "database.py" in sender
    assert statements.unscoped(text, patient_tables()) == ["r", "v"]
