"""The looks at the cohort that somebody keeps under a name."""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table saved_view (
            saved_view bigint primary key,
            account bigint not null,
            sealed bytea not null
        )
        """
    )
    op.execute("create index saved_view_by_account on saved_view (account)")
