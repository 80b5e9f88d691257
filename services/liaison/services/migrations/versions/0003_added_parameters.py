"""Search parameters that a territory adds, and how far what is stored is indexed for them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table search_parameter (
            number smallint not null,
            res bigint not null,
            version integer not null,
            state smallint not null,
            since timestamp with time zone not null default now(),
            family text,
            after_patient bigint,
            after_kind smallint,
            after_res bigint,
            primary key (number)
        )
        """
    )
    op.execute("create table search_revision (id smallint not null, revision bigint not null, primary key (id))")
    op.execute("insert into search_revision (id, revision) values (1, 0)")
