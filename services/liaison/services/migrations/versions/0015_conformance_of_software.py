"""What `make conformance` has found of a vendor's software."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table client_request add column conformance jsonb")
