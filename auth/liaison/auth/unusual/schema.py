"""The tables of unusual accesses and of cases. They share the metadata of liaison.fhir.store.schema.

Words, answers and facts are sealed under the territory's key. Rows of a patient go when the record is destroyed.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# Each choice about a rule, or (rule '') the date of the notice to staff; never changed: the newest of a rule counts.
unusual_choice = Table(
    "unusual_choice",
    metadata,
    Column("choice", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("since", Date),  # entries of that day on are looked at
    Column("parameters", JSONB, nullable=False),
    Column("chosen_by", BigInteger, nullable=False),  # res of the Practitioner; 0: the maker of a sandbox
    moment("at", nullable=False, server_default=func.now()),
)

# How far a rule has looked through the journal, by the choice that is in force: another choice begins anew.
unusual_progress = Table(
    "unusual_progress",
    metadata,
    Column("choice", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),  # the next one to look at
)

# One person, one record, one day: what one reviewer looks at.
unusual_access = Table(
    "unusual_access",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("access", BigInteger, primary_key=True, autoincrement=False),
    Column("person", BigInteger, nullable=False),
    Column("role", BigInteger, nullable=False),
    Column("role_code", Text, nullable=False),
    Column("organization", BigInteger, nullable=False),
    Column("day", Date, nullable=False),  # in Paris
    moment("at", nullable=False),  # the first entry that fired
    moment("found_at", nullable=False, server_default=func.now()),
    Column("state", Text, nullable=False, server_default="requested"),  # on-hold | in-progress | completed
    Column("outcome", Text, nullable=False, server_default=""),
    Column("reader", BigInteger, nullable=False, server_default="0"),  # who gave it
    moment("read_at"),
    Column("version", Integer, nullable=False, server_default="1"),
)
Index(
    "unusual_access_of_day",
    unusual_access.c.patient,
    unusual_access.c.person,
    unusual_access.c.day,
    unique=True,
)
Index("unusual_access_by_person", unusual_access.c.person, unusual_access.c.state)

# Which rule, as it was then, and which entry of the journal made it fire.
unusual_finding = Table(
    "unusual_finding",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("access", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", Text, primary_key=True),
    Column("rule_version", Integer, nullable=False),
    Column("choice", Integer, nullable=False),
    moment("at", nullable=False),
    Column("worker", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("facts", LargeBinary, nullable=False),
)

# What reviewers said of it, and whoever acted.
unusual_word = Table(
    "unusual_word",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("access", BigInteger, primary_key=True, autoincrement=False),
    Column("word", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Text, nullable=False),  # '' for an answer
    Column("said_by", BigInteger, nullable=False),
    moment("at", nullable=False, server_default=func.clock_timestamp()),
    Column("sealed", LargeBinary, nullable=False),
)

# An access of which two readers said that it is not justified, or is to be reported.
review_case = Table(
    "review_case",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # of the review list, or 'unusual'
    Column("about", BigInteger, nullable=False),  # res of the Task, or the unusual access
    Column("outcome", Text, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("role", BigInteger, nullable=False),
    Column("organization", BigInteger, nullable=False),
    moment("known_at", nullable=False),  # the first reader's word: the 72 hours of GDPR art. 33 begin
    moment("opened_at", nullable=False, server_default=func.now()),
    moment("closed_at"),
)
Index("review_case_about", review_case.c.patient, review_case.c.kind, review_case.c.about, unique=True)
Index("review_case_open", review_case.c.person, postgresql_where=text("closed_at is null"))

case_step = Table(
    "case_step",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # unusual.cases.Step
    Column("taken_by", BigInteger, nullable=False),
    moment("at", nullable=False, server_default=func.clock_timestamp()),
    Column("sealed", LargeBinary, nullable=False),
)
