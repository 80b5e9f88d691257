"""Wrong PINs are counted apart from wrong passwords: whoever guesses one does not lock the other."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table account add column pin_failures integer not null default '0',"
        " add column pin_locked_until timestamp with time zone"
    )
    # One count stood for both, and a PIN that it locked stayed locked: both begin anew.
    op.execute("update account set failures = 0, locked_until = null")
