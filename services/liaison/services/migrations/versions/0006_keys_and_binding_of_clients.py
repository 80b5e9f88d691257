"""Clients whose keys are at an address of theirs, whose tokens are bound, or who prove themselves by a certificate."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table client
            add column jwks_uri text,
            add column binding text not null default '',
            add column certificate_subject text
        """
    )
    # How much was asked lately, by address or client: worth nothing after a crash, so it costs no disk (RFC 6585 §4).
    op.execute(
        """
        create unlogged table rate_limit (
            key bytea not null,
            full_at timestamp with time zone not null,
            primary key (key)
        )
        """
    )
