"""Whose plans have signals, how far measures were looked at, and which signals a doctor has adopted (services.signals)."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table signal_watch (patient bigint primary key, res bigint not null)")
    op.execute(
        """
        create table signal_pass (
            signal_pass smallint primary key,
            until timestamp with time zone not null,
            asked_at timestamp with time zone not null
        )
        """
    )
    op.execute(
        """
        create table signal_adoption (
            signal text not null,
            version text not null,
            decided_by text not null,
            because text not null,
            adopted_at timestamp with time zone not null default now(),
            primary key (signal, version)
        )
        """
    )
