"""Whose emergency access a notice is about, so that officers are told of those that they may look at (people.notices).

Of those that are there the record decides alone: who acted is in the sealed task.
"""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table notice add column organization bigint not null default '0', add column person bigint not null default '0'"
    )
