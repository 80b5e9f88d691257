"""The first tables."""

from alembic import op

import liaison.auth.schema  # noqa: F401  # its tables join the same metadata
from liaison.fhir.store.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
