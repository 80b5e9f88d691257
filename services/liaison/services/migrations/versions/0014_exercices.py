"""What Pro Santé Connect said of someone's exercices, to be shown where a role is chosen."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table browser_session add column exercices bytea")
