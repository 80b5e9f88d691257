"""The tables of liaison.services.signals and liaison.services.library. They share the metadata of
liaison.fhir.store.schema, so that they are in a backup, and a record that is forgotten is forgotten here."""

from sqlalchemy import BigInteger, Column, LargeBinary, SmallInteger, Table, Text, func

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
