"""The seventh generation of the index (liaison.fhir.search.index): the main date of a Task is the day it is due.

What is stored already is gone over by the service (liaison.services.jobs.indexing); where nothing is, there is nothing to go
over."""

from alembic import op
from sqlalchemy import text

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    base = op.get_bind()
    if not any(base.scalar(text(f"select exists (select from {one})")) for one in ("version", "directory_version")):
        op.execute("update reindexing set done = 7")
