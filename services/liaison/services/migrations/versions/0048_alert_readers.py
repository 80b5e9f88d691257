"""Who has accepted in writing to read the alerts of a service, on which days and hours, and who reads them otherwise."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table alert_reader (
            alert_reader bigint primary key,
            organization bigint not null,
            reference text not null,
            name text not null,
            days text not null,
            begins smallint not null,
            ends smallint not null,
            deputy text not null default '',
            accepted_on date not null,
            recorded_by bigint not null,
            since timestamp with time zone not null default now(),
            ended_at timestamp with time zone
        )
        """
    )
    op.execute("create index alert_reader_now on alert_reader (organization) where ended_at is null")
