"""What the data protection officer is told of, until they have read it."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table notice (
            notice bigint not null,
            kind text not null,
            about bigint not null,
            patient bigint not null default '0',
            code text not null default '',
            at timestamp with time zone not null default now(),
            read_at timestamp with time zone,
            primary key (notice)
        )
        """
    )
    op.execute("create index notice_unread on notice (kind, about) where read_at is null")
    op.execute(
        "insert into notice (notice, kind, about, at)"
        " select recovery, 'recovery', recovery, granted_at from recovery where granted_at is not null and read_at is null"
    )
