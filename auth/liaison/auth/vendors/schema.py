"""The tables of vendors' software: requests, approvals, activations, errors. They share the metadata of
liaison.fhir.store.schema."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# What a vendor asks for (vendors.request_file), until two people have approved it.
client_request = Table(
    "client_request",
    metadata,
    Column("request", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("content", JSONB, nullable=False),  # no secret: public keys, addresses, reasons, a contact
    Column("state", Text, nullable=False),  # vendors.requests.State
    Column("link", LargeBinary, nullable=False, unique=True),  # SHA-256 of the secret in the vendor's own address
    Column("problems", JSONB, nullable=False, server_default="[]"),
    Column("conformance", JSONB),  # vendors.conformance: the report on the software itself
    moment("received_at", nullable=False, server_default=func.now()),
    moment("decided_at"),
)

client_approval = Table(
    "client_approval",
    metadata,
    Column("request", BigInteger, primary_key=True, autoincrement=False),
    Column("part", Text, primary_key=True),  # admin | dpo
    Column("person", BigInteger, nullable=False),  # res of the Practitioner: two parts, two people
    moment("at", nullable=False, server_default=func.now()),
)

client_activation = Table(
    "client_activation",
    metadata,
    Column("client", BigInteger, primary_key=True, autoincrement=False),
    Column("organization", BigInteger, primary_key=True, autoincrement=False),  # 0: people who act for themselves
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("acting", BigInteger, nullable=False),  # the client that acts there: itself, or an organisation's backend
    moment("since", nullable=False, server_default=func.now()),
)

# What a client was refused at the authorization server, for its vendor's page: codes of errors, counted by day.
client_error = Table(
    "client_error",
    metadata,
    Column("client", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("error", Text, primary_key=True),
    Column("count", Integer, nullable=False),
)
