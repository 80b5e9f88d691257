"""Forms of pages: those that were sent, so that nothing is done twice, and what was typed when a session had ended."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table sent_form (
            form bytea not null,
            sealed bytea,
            taken_at timestamp with time zone not null default now(),
            primary key (form)
        )
        """
    )
    op.execute(
        """
        create table kept_form (
            token bytea not null,
            account bigint not null,
            sealed bytea not null,
            kept_at timestamp with time zone not null default now(),
            primary key (token)
        )
        """
    )
    op.execute("create index kept_form_by_account on kept_form (account)")
