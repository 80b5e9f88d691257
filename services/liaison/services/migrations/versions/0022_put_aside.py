"""Whom and what the directory has put aside: nobody acts in a role of theirs.

The base is read for them when the service first runs (access.regranting), as the classes of every record are then."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table put_aside (kind smallint not null, res bigint not null, primary key (kind, res))")
