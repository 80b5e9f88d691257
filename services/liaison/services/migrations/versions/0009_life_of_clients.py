"""The life of a vendor's client: its request, two approvals, activation per organisation, reviews, errors."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table client
            add column exchanges boolean not null default 'false',
            add column by_activation boolean not null default 'false',
            add column registration bigint,
            add column review_due timestamp with time zone,
            add column ended_at timestamp with time zone
        """
    )
    op.execute("create index client_by_registration on client (registration) where registration is not null")
    op.execute(
        """
        create table client_request (
            request bigint not null,
            client_id text not null,
            content jsonb not null,
            state text not null,
            link bytea not null unique,
            problems jsonb not null default '[]',
            received_at timestamp with time zone not null default now(),
            decided_at timestamp with time zone,
            primary key (request)
        )
        """
    )
    op.execute(
        """
        create table client_approval (
            request bigint not null,
            part text not null,
            person bigint not null,
            at timestamp with time zone not null default now(),
            primary key (request, part)
        )
        """
    )
    op.execute(
        """
        create table client_activation (
            client bigint not null,
            organization bigint not null,
            active boolean not null default 'true',
            acting bigint not null,
            since timestamp with time zone not null default now(),
            primary key (client, organization)
        )
        """
    )
    op.execute(
        """
        create table client_error (
            client bigint not null,
            day date not null,
            error text not null,
            count integer not null,
            primary key (client, day, error)
        )
        """
    )
