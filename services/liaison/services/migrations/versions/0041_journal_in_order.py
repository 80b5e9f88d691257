"""The journal in the order of its pages: a page by time alone no longer sorts all that it is taken from."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("drop index journal_entry_by_time")
    op.execute("create index journal_entry_by_time on journal_entry (at, worker, sequence)")
