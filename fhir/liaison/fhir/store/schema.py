"""The tables of the record store, as SQLAlchemy Core. SQL uses nothing newer than PostgreSQL 15.

Three families: *patient* (every primary key and every unique index starts with the patient), *directory* (small, the
same columns with patient 0, copied everywhere), *identity* (by token). tests/fhir/store/test_schema.py reads the
catalogue and fails on a unique constraint of a patient table without the patient.

Conventions: `patient` is the patient number (0 in directory tables); `kind` the number of a resource type
(definitions.kind_of); `res` the 64 random bits of a resource's id, signed; `version` counts from 1. `created` and
`superseded` of a version are xid8: it belongs to snapshot S when `created` is visible in S and `superseded` is not.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.types import UserDefinedType

metadata = MetaData()


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, which SQLAlchemy does not know."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def _moment(name: str, **more: object) -> "Column[object]":
    return Column(name, DateTime(timezone=True), **more)  # type: ignore[arg-type]  # keywords pass through


THIS_TRANSACTION = text("pg_current_xact_id()")

# The clinical date of what has none, and always of Patient, RelatedPerson and Person. Not NULL, so that one row
# comparison pages over it and the index order is the page order: a missing date is older than any.
NO_DATE = text("'-infinity'")

# Key material. `wrapped` never holds a key in clear: shelf keys are wrapped by the KeyProvider, patient keys by a shelf.
shelf = Table(
    "shelf",
    metadata,
    Column("shelf", Integer, primary_key=True),
    Column("month", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    _moment("made_at", nullable=False, server_default=func.now()),
)

# Territory keys by purpose: 'territory' (bodies of no patient), 'id' (the id cipher), 'identity', 'cursor', 'journal'…
territory_key = Table(
    "territory_key",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("shelf", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

patient = Table(
    "patient",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("shelf", Integer, nullable=False),
    Column("wrapped", LargeBinary),  # NULL once erased: the tombstone
    Column("state", SmallInteger, nullable=False, server_default="0"),  # 0 in force, 1 erased
    _moment("made_at", nullable=False, server_default=func.now()),
)


def _version_columns() -> "list[Column[object]]":
    return [
        Column("patient", BigInteger, primary_key=True, autoincrement=False),
        Column("kind", SmallInteger, primary_key=True, autoincrement=False),
        Column("res", BigInteger, primary_key=True, autoincrement=False),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("created", Xid8(), nullable=False, server_default=THIS_TRANSACTION),
        Column("superseded", Xid8()),
        _moment("at", nullable=False),  # meta.lastUpdated, of the database clock, whole milliseconds
        _moment("clinical", nullable=False, server_default=NO_DATE),  # liaison.fhir.search.index.indexed gives it
        Column("deleted", Boolean, nullable=False, server_default="false"),
        Column("classes", BigInteger, nullable=False),  # data classes, permuted under the patient's key
        # Patient-scoped tokens, 0 when there is none: who wrote it, for which service, to whom it is addressed.
        Column("author", BigInteger, nullable=False, server_default="0"),
        Column("service", BigInteger, nullable=False, server_default="0"),
        Column("addressee", BigInteger, nullable=False, server_default="0"),
        Column("sealed", LargeBinary, nullable=False),
    ]


def _current(name: str) -> Index:
    return Index(f"{name}_current", "patient", "kind", "res", unique=True, postgresql_where=text("superseded is null"))


version = Table("version", metadata, *_version_columns(), _current("version"))
directory_version = Table("directory_version", metadata, *_version_columns(), _current("directory_version"))

Index("version_by_time", version.c.patient, version.c.kind, version.c.clinical.desc(), version.c.res)
Index("version_by_update", version.c.patient, version.c.kind, version.c.at.desc(), version.c.res)
for _table in (version, directory_version):  # for liaison.fhir.store.sweep
    Index(f"{_table.name}_later", _table.c.at, postgresql_where=_table.c.version > 1)
Index("directory_version_by_update", directory_version.c.kind, directory_version.c.at.desc(), directory_version.c.res)


def _token_columns() -> "list[Column[object]]":
    return [
        Column("patient", BigInteger, nullable=False),
        Column("kind", SmallInteger, nullable=False),
        Column("param", SmallInteger, nullable=False),  # definitions.SearchParameter.number
        Column("token", BigInteger, nullable=False),  # HMAC under the patient's key over (param, value), 8 bytes
        Column("res", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        _moment("clinical", nullable=False, server_default=NO_DATE),  # as in `version`: one index, newest first
    ]


def _date_columns() -> "list[Column[object]]":
    return [
        Column("patient", BigInteger, nullable=False),
        Column("kind", SmallInteger, nullable=False),
        Column("param", SmallInteger, nullable=False),
        _moment("low", nullable=False),  # first instant of the value, -infinity for an open start
        _moment("high", nullable=False),  # first instant after the value, infinity for an open end
        Column("res", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
    ]


# An index row lives and dies with the version it names: every statement joins that version row anyway, for its
# classes, so the xid8 columns stand there alone. Rows of superseded versions are swept after an hour, when no cursor
# can still need them.
index_token = Table("index_token", metadata, *_token_columns())
directory_index_token = Table("directory_index_token", metadata, *_token_columns())
index_date = Table("index_date", metadata, *_date_columns())
directory_index_date = Table("directory_index_date", metadata, *_date_columns())

for _table in (index_token, directory_index_token):
    Index(
        f"{_table.name}_find",
        _table.c.patient,
        _table.c.kind,
        _table.c.param,
        _table.c.token,
        _table.c.clinical.desc(),
        _table.c.res,
        _table.c.version,
    )
for _table in (index_date, directory_index_date):
    Index(f"{_table.name}_find", _table.c.patient, _table.c.kind, _table.c.param, _table.c.low, _table.c.res)
    # One probe for a row already found by its token or its place in time.
    Index(
        f"{_table.name}_of",
        *(_table.c[name] for name in ("patient", "kind", "res", "version", "param")),
        postgresql_include=["low", "high"],
    )

# Which records refer into this one, by which parameter of which type: enciphered under this patient's key. See
# liaison.fhir.store.referring.
referring = Table(
    "referring",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("source", LargeBinary, primary_key=True),  # 16 bytes
)

# Identity family: by token under the territory's identity key (never the patient's), so that an INS or a business
# identifier finds its resource without naming it. `space` says what was tokenised: see liaison.fhir.store.identity.
identity_token = Table(
    "identity_token",
    metadata,
    Column("space", SmallInteger, primary_key=True, autoincrement=False),
    Column("token", LargeBinary, primary_key=True),  # 16 bytes
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, primary_key=True, autoincrement=False),
)
Index("identity_token_by_resource", identity_token.c.patient, identity_token.c.kind, identity_token.c.res)

# Rows locked (for update), in sorted order, by every write that adds or removes the identifier and by every
# conditional request on it; and rows that stand for resources, by every write that changes one (liaison.fhir.store.locks).
# Lock rows, not session locks: they survive pooling and end with the transaction.
identity_lock = Table("identity_lock", metadata, Column("token", LargeBinary, primary_key=True))

# `liaison import`: what came from where, so that a second run changes nothing.
import_ledger = Table(
    "import_ledger",
    metadata,
    Column("source_key", LargeBinary, primary_key=True),  # HMAC of (source, fullUrl or type/id)
    Column("digest", LargeBinary, nullable=False),
    Column("patient", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("res", BigInteger, nullable=False),
)

# What of a source was of a record that was destroyed, so that no later run makes it anew: a keyed digest of its name, and
# nothing of whom it was.
import_destroyed = Table("import_destroyed", metadata, Column("source_key", LargeBinary, primary_key=True))

# A search whose order no index gives: its result in order, sealed under the cursor key, for as long as a cursor lives.
search_list = Table(
    "search_list",
    metadata,
    Column("list", LargeBinary, primary_key=True),  # 16 random bytes, known to sealed cursors only
    Column("sealed", LargeBinary, nullable=False),
    _moment("made_at", nullable=False, server_default=func.now()),
)

# `liaison reindex`: how far a pass over one family has come. Without a row the index is that of the first release.
reindexing = Table(
    "reindexing",
    metadata,
    Column("family", Text, primary_key=True),  # 'version' or 'directory_version'
    Column("done", SmallInteger, nullable=False),  # the generation (liaison.fhir.search.index) of the last whole pass
    Column("towards", SmallInteger),  # NULL, with the place, when no pass is under way
    Column("after_patient", BigInteger),
    Column("after_kind", SmallInteger),
    Column("after_res", BigInteger),
)

# Search parameters that administrators added (liaison.fhir.store.parameters). What one says stands in the version of the
# SearchParameter that is named. A changed definition gets a new number; the rows of an old one are removed, then it.
search_parameter = Table(
    "search_parameter",
    metadata,
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),  # 0 what is stored is being indexed, 1 ready, 2 ended
    _moment("since", nullable=False, server_default=func.now()),  # in this state
    Column("family", Text),  # with the place: how far the pass over what is stored has come
    Column("after_patient", BigInteger),
    Column("after_kind", SmallInteger),
    Column("after_res", BigInteger),
)

# One row. Raised with each change of search_parameter, under a lock on the version tables: a writer's insert compares it.
search_revision = Table(
    "search_revision",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
)
