"""Another classification may be adopted, as another table of rules may: each decision has both."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table adopted_rules add column classes_version text, add column classes_digest text, add column classes text"
    )
