"""Who reads the reports of suspected abuse of each service (people.designated)."""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table designated (
            organization bigint not null,
            reference text not null,
            since timestamp with time zone not null default now(),
            name text not null,
            manages boolean not null,
            named_by bigint not null,
            ended_at timestamp with time zone,
            primary key (organization, reference, since)
        )
        """
    )
    op.execute("create unique index designated_now on designated (organization, reference) where ended_at is null")
