"""The tables of the journal. They share the metadata of liaison.fhir.store.schema."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from liaison.auth.columns import moment
from liaison.fhir.store.schema import THIS_TRANSACTION, Xid8, metadata

# Rows are only ever inserted. An entry has no position here, because commit order is not sequence order; the
# integrator gives it one in journal_position. The leaf hash is over every column but `written` (journal.sealing).
journal_entry = Table(
    "journal_entry",
    metadata,
    Column("generation", Integer, nullable=False),  # whose key sealed it: one a month
    Column("worker", BigInteger, primary_key=True, autoincrement=False),  # random, one a chain
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # below 0: written within a transaction
    Column("previous", LargeBinary, nullable=False),  # leaf of the chain's entry before; a removed one breaks it
    Column("event", SmallInteger, nullable=False),  # journal.entry.Event
    Column("outcome", SmallInteger, nullable=False),
    moment("at", nullable=False),
    Column("patient", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("organization", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("written", Xid8(), nullable=False, server_default=THIS_TRANSACTION),  # finds what waits for a position
)
Index(
    "journal_entry_by_patient",
    journal_entry.c.patient,
    journal_entry.c.at,
    postgresql_where=journal_entry.c.patient != 0,
)
Index(
    "journal_entry_by_refusal",  # which record they were about is in the sealed part: all are looked through
    journal_entry.c.at,
    postgresql_where=text("patient = 0 and outcome <> 0"),
)
Index("journal_entry_by_person", journal_entry.c.person, journal_entry.c.at)
# In the order of pages: a question by time alone reads one page of it, not a month or the whole sorted for each page.
Index("journal_entry_by_time", journal_entry.c.at, journal_entry.c.worker, journal_entry.c.sequence)
Index("journal_entry_by_transaction", journal_entry.c.written)

# The journal's own keys, sealed under the territory's: one a month for entries, one that signs checkpoints.
journal_key = Table(
    "journal_key",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
)

# Organisations whose auditors read the journal of the whole territory, and the convention that says so.
audit_mandate = Table(
    "audit_mandate",
    metadata,
    Column("organization", BigInteger, primary_key=True, autoincrement=False),
    Column("convention", Text, nullable=False),
    moment("given_at", nullable=False, server_default=func.now()),
)

journal_position = Table(
    "journal_position",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # dense, from 0
    Column("worker", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    UniqueConstraint("worker", "sequence"),
)

# Hashes of the Merkle tree in tiles of 256, as C2SP tlog-tiles lays them out: proofs without reading entries.
journal_tile = Table(
    "journal_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("tile", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# One row. Whoever integrates raises `fence` first; a predecessor that still runs then changes nothing more.
journal_head = Table(
    "journal_head",
    metadata,
    Column("head", SmallInteger, primary_key=True, autoincrement=False),  # always 0
    Column("fence", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("settled", Xid8(), nullable=False),  # every entry of an older transaction has its position
)

journal_checkpoint = Table(
    "journal_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),  # C2SP tlog-checkpoint, signed: size, root
    moment("made_at", nullable=False, server_default=func.now()),
)
Index(
    "journal_checkpoint_handover",  # the few that change the signing key: journal.succession.MARK
    journal_checkpoint.c.size,
    postgresql_where=text("position(chr(10) || 'next-key ' in note) > 0"),
)

# One row: the verdict of the last complete verification, sealed, and when the next was asked for.
journal_verdict = Table(
    "journal_verdict",
    metadata,
    Column("verdict", SmallInteger, primary_key=True, autoincrement=False),  # always 0
    moment("made_at"),
    Column("sealed", LargeBinary),
    moment("asked_at"),
)

# « Je ne comprends pas cet accès » (journal.questions): about which entry, and what was answered. Both texts are sealed
# under the patient's key, and go with the record.
access_question = Table(
    "access_question",
    metadata,
    Column("question", BigInteger, primary_key=True, autoincrement=False),  # random
    Column("patient", BigInteger, nullable=False),
    Column("worker", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("asked_at", nullable=False, server_default=func.now()),
    Column("answer", LargeBinary),
    moment("answered_at"),
)
Index("access_question_by_patient", access_question.c.patient)

# A search of the journal with a name, and who signed it (journal.named_reviews). What it says is sealed: a name may be typed
# in it. It is of the structure of whoever made it.
named_review = Table(
    "named_review",
    metadata,
    Column("review", BigInteger, primary_key=True, autoincrement=False),  # random
    Column("organization", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    Column("signature", LargeBinary),
    moment("signed_at"),
)
