"""The tables of liaison.services.signals, liaison.services.planned and liaison.services.library. They share the metadata of
liaison.fhir.store.schema, so that they are in a backup, and a record that is forgotten is forgotten here."""

from sqlalchemy import ARRAY, BigInteger, Column, Date, Index, Integer, LargeBinary, SmallInteger, Table, Text, func

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# Whose plans have signals (liaison.services.signals): the record, and the id of its Patient.
signal_watch = Table(
    "signal_watch",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, nullable=False),
)

# Up to which moment measures were looked at, and when it was last asked what stays away.
signal_pass = Table(
    "signal_pass",
    metadata,
    Column("signal_pass", SmallInteger, primary_key=True, autoincrement=False),  # always 0
    moment("until", nullable=False),
    moment("asked_at", nullable=False),
)

# Signals that judge a person's state, adopted by a named doctor for this installation.
signal_adoption = Table(
    "signal_adoption",
    metadata,
    Column("signal", Text, primary_key=True),  # 'PlanDefinition#action', without the version
    Column("version", Text, primary_key=True),
    Column("decided_by", Text, nullable=False),
    Column("because", Text, nullable=False),
    moment("adopted_at", nullable=False, server_default=func.now()),
)

# Each plan and each of its steps, by the day it is due (liaison.services.planned.keeping), beside the current version that it is of.
planned = Table(
    "planned",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("due", Date, nullable=False),  # of a plan its first day; infinity for none
    Column("done", Date),
    Column("names", ARRAY(BigInteger), nullable=False),  # patient-scoped tokens: codes of a step, protocols of a plan
    Column("owned", SmallInteger, nullable=False),
    Column("owner", BigInteger, nullable=False),  # a patient-scoped token; 0 for none
)
Index("planned_by_day", planned.c.patient, planned.c.kind, planned.c.standing, planned.c.due, planned.c.res)

# What has been published of protocols, never changed: the content under the territory's key, and its resource in the directory.
published_definition = Table(
    "published_definition",
    metadata,
    Column("url", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # SHA-256 of the content
    Column("sealed", LargeBinary, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("resource", Text),  # 'Type/id' of what a FHIR client reads; NULL until it is written
    moment("at", nullable=False, server_default=func.now()),
)
