"""Records that are closed to the teams because they have left active use."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table archived_record (
            patient bigint not null,
            sealed bytea not null,
            since timestamp with time zone not null default now(),
            primary key (patient)
        )
        """
    )
