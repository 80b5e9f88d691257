"""Protocols are published into the base: what is out is kept as it was, with who and when (services.library)."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table published_definition (
            url text not null,
            version text not null,
            digest text not null,
            sealed bytea not null,
            published_by text not null,
            resource text,
            at timestamp with time zone not null default now(),
            primary key (url, version)
        )
        """
    )
