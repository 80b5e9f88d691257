"""What is planned, by the day it is due (liaison.services.planned), and the eighth generation of the index, with which it comes.

What is stored already is gone over by the service (liaison.services.jobs.indexing); where nothing is, there is nothing to go
over."""

from alembic import op
from sqlalchemy import text

revision = "0058"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table planned (
            patient bigint not null,
            kind smallint not null,
            res bigint not null,
            version integer not null,
            standing smallint not null,
            due date not null,
            done date,
            names bigint[] not null,
            owned smallint not null,
            owner bigint not null,
            primary key (patient, kind, res)
        )
        """
    )
    op.execute("create index planned_by_day on planned (patient, kind, standing, due, res)")
    base = op.get_bind()
    if not any(base.scalar(text(f"select exists (select from {one})")) for one in ("version", "directory_version")):
        op.execute("update reindexing set done = 8")
