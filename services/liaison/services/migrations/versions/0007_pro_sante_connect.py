"""What a browser session keeps of a sign-in through Pro Santé Connect."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table browser_session add column attested jsonb")
    op.execute("alter table browser_session add column provider_session bytea")
    op.execute("alter table browser_session add column provider_token bytea")
    op.execute(
        "create index browser_session_by_provider on browser_session (provider_session)"
        " where provider_session is not null"
    )
