"""The tables of legal holds and archived records. It shares the metadata of liaison.fhir.store.schema."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, func

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# A record that may not be destroyed (retention.holds). Who and why are sealed under the patient's key.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("hold", BigInteger, primary_key=True, autoincrement=False),
    Column("ground", Text, nullable=False),  # 'litigation' suspends the terms too
    Column("sealed", LargeBinary, nullable=False),
    moment("since", nullable=False, server_default=func.now()),
    Column("lifting", LargeBinary),
    moment("lifted_at"),
)

# A record that is closed to the teams (retention.archiving). Who and why are sealed under the patient's key.
archived_record = Table(
    "archived_record",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("since", nullable=False, server_default=func.now()),
)
