"""Who vouched for the person of a session, and whom they act for: the journal says both."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table access_session add column proven text not null default '', add column acts_for bigint not null default '0'"
    )
