"""What an import is not to store again, since its record was destroyed."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table import_destroyed (source_key bytea not null, primary key (source_key))")
