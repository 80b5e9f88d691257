"""What auditors read of a record by their office follows their organisation and its mandate: the grants of every record are
computed once more, when the service first runs (access.regranting).

The classes of the resources stay: only what the grants were computed by is put as unknown.
"""

from alembic import op

revision = "0064"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "update regranting set granted = '/' || split_part(granted, '/', 2) where granted <> '' and exists (select from patient)"
    )
