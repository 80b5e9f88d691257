"""On which device a browser session is open, since when, and who enrolled a phone."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table browser_session add column device text not null default ''")
    op.execute("alter table browser_session add column phone bigint")
    op.execute("alter table browser_session add column opened_at timestamp with time zone not null default now()")
    op.execute("alter table phone add column enrolled_by bigint")
