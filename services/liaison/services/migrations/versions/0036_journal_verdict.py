"""The verdict of the last complete verification of the journal."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table journal_verdict (
            verdict smallint not null,
            made_at timestamp with time zone,
            sealed bytea,
            asked_at timestamp with time zone,
            primary key (verdict)
        )
        """
    )
