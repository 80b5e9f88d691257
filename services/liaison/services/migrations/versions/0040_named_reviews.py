"""Searches of the journal that were given a name, to be signed."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table named_review (
            review bigint not null,
            organization bigint not null,
            sealed bytea not null,
            made_at timestamp with time zone not null default now(),
            signature bytea,
            signed_at timestamp with time zone,
            primary key (review)
        )
        """
    )
