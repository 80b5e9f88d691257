"""Managers' people (first codes, ends of contracts), and getting back in (recoveries, the sealed code)."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table account add column ends_at timestamp with time zone")
    op.execute(
        """
        create table first_code (
            account bigint not null,
            code text not null,
            tries integer not null default '0',
            expires_at timestamp with time zone not null,
            primary key (account)
        )
        """
    )
    op.execute(
        """
        create table recovery (
            recovery bigint not null,
            account bigint not null,
            asked_by bigint not null,
            expires_at timestamp with time zone not null,
            granted_by bigint,
            granted_at timestamp with time zone,
            read_at timestamp with time zone,
            primary key (recovery)
        )
        """
    )
    op.execute(
        """
        create table sealed_code (
            sealed_code smallint not null,
            code text not null,
            tries integer not null default '0',
            made_at timestamp with time zone not null default now(),
            primary key (sealed_code)
        )
        """
    )
