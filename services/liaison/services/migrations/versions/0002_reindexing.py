"""How far `liaison reindex` has come."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table reindexing (
            family text not null,
            done smallint not null,
            towards smallint,
            after_patient bigint,
            after_kind smallint,
            after_res bigint,
            primary key (family)
        )
        """
    )
