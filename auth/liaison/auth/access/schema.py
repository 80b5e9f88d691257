"""The tables of rules that came into force here, and how far the grants follow. They share the metadata of
liaison.fhir.store.schema."""

from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, SmallInteger, Table, Text, func

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# One row for each act by which a table came into force, never changed: an adoption, or the return to the table before.
# The newest is in force (access.adopted); without one, the packaged table is.
adopted_rules = Table(
    "adopted_rules",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Text, nullable=False),
    Column("dated", Date, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the text; '' for the packaged table
    Column("text", Text, nullable=False),  # '' for the packaged table
    Column("before", Integer),  # to which withdrawing it returns: an older number, 0 the packaged table, NULL nothing
    Column("withdrawal", SmallInteger, nullable=False, server_default="0"),  # 1: a return, by withdrawing another
    Column("sealed", LargeBinary, nullable=False),  # who decided, and why, under the territory's key
    moment("at", nullable=False, server_default=func.now()),
    # The classification (access.classify) beside the table; NULL for the packaged one.
    Column("classes_version", Text),
    Column("classes_digest", Text),
    Column("classes", Text),
)

# One row: by which table every grant was computed, and the pass towards another that is under way (access.regranting).
regranting = Table(
    "regranting",
    metadata,
    Column("regranting", SmallInteger, primary_key=True, autoincrement=False),  # always 0
    Column("granted", Text, nullable=False),  # the digest of that table; '' when it is not known
    Column("towards", Text),  # NULL, with the rest, when no pass is under way
    Column("after_patient", BigInteger),
    Column("done", Integer),
    Column("total", Integer),
)
