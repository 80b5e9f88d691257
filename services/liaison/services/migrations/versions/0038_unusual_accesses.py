"""Unusual accesses: which rules are on, how far they looked, and what they found, with its review."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table unusual_choice (
            choice integer not null,
            rule text not null,
            active boolean not null,
            since date,
            parameters jsonb not null,
            chosen_by bigint not null,
            at timestamp with time zone not null default now(),
            primary key (choice)
        )
        """
    )
    op.execute(
        "create table unusual_progress (choice integer not null, position bigint not null, primary key (choice))"
    )
    op.execute(
        """
        create table unusual_access (
            patient bigint not null,
            access bigint not null,
            person bigint not null,
            role bigint not null,
            role_code text not null,
            organization bigint not null,
            day date not null,
            at timestamp with time zone not null,
            found_at timestamp with time zone not null default now(),
            state text not null default 'requested',
            outcome text not null default '',
            reader bigint not null default '0',
            read_at timestamp with time zone,
            version integer not null default '1',
            primary key (patient, access)
        )
        """
    )
    op.execute("create unique index unusual_access_of_day on unusual_access (patient, person, day)")
    op.execute("create index unusual_access_by_person on unusual_access (person, state)")
    op.execute(
        """
        create table unusual_finding (
            patient bigint not null,
            access bigint not null,
            rule text not null,
            rule_version integer not null,
            choice integer not null,
            at timestamp with time zone not null,
            worker bigint not null,
            sequence bigint not null,
            facts bytea not null,
            primary key (patient, access, rule)
        )
        """
    )
    op.execute(
        """
        create table unusual_word (
            patient bigint not null,
            access bigint not null,
            word integer not null,
            outcome text not null,
            said_by bigint not null,
            at timestamp with time zone not null default clock_timestamp(),
            sealed bytea not null,
            primary key (patient, access, word)
        )
        """
    )
