"""Which records refer into a record, so that it need not be asked of each of them."""

from alembic import op
from sqlalchemy import text

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table referring (patient bigint not null, source bytea not null, primary key (patient, source))")
    # What is stored already is gone over by `liaison reindex`; where nothing is, there is nothing to go over.
    base = op.get_bind()
    if not any(base.scalar(text(f"select exists (select from {one})")) for one in ("version", "directory_version")):
        op.execute("insert into reindexing (family, done) values ('version', 2), ('directory_version', 2)")
