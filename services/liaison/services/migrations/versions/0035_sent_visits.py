"""Visits that were written without a network and delivered later, and the keys that they are sealed to."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table visit_key (
            kid text not null,
            public bytea not null,
            sealed bytea not null,
            made_at timestamp with time zone not null default now(),
            primary key (kid)
        )
        """
    )
    op.execute(
        """
        create table sent_visit (
            visit uuid not null,
            digest bytea not null,
            organization bigint not null,
            patient bigint not null,
            aide bigint not null,
            brought_by bigint not null,
            phone bigint not null,
            state text not null,
            why text not null default '',
            sealed bytea,
            settled_by bigint,
            settled bytea,
            received_at timestamp with time zone not null default now(),
            settled_at timestamp with time zone,
            primary key (visit, digest)
        )
        """
    )
    op.execute("create index sent_visit_waiting on sent_visit (organization, received_at) where state = 'checking'")
