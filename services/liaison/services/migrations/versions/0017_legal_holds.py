"""Records that may not be destroyed: who said so, why and since when."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table legal_hold (
            patient bigint not null,
            hold bigint not null,
            ground text not null,
            sealed bytea not null,
            since timestamp with time zone not null default now(),
            lifting bytea,
            lifted_at timestamp with time zone,
            primary key (patient, hold)
        )
        """
    )
