"""Refusals by time: they name no record in clear, so those who ask about one look through them."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index journal_entry_by_refusal on journal_entry (at) where patient = 0 and outcome <> 0")
