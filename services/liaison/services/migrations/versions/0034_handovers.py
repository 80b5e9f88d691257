"""Finds the checkpoints that change the journal's signing key, among millions."""

from alembic import op

revision = "0034"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create index journal_checkpoint_handover on journal_checkpoint (size)
        where position(chr(10) || 'next-key ' in note) > 0
        """
    )
