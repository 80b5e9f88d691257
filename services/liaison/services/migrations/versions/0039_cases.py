"""Cases: what is done after two readers found that an access is not justified, or is to be reported."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table review_case (
            patient bigint not null,
            number integer not null,
            kind text not null,
            about bigint not null,
            outcome text not null,
            person bigint not null,
            role bigint not null,
            organization bigint not null,
            known_at timestamp with time zone not null,
            opened_at timestamp with time zone not null default now(),
            closed_at timestamp with time zone,
            primary key (patient, number)
        )
        """
    )
    op.execute("create unique index review_case_about on review_case (patient, kind, about)")
    op.execute("create index review_case_open on review_case (person) where closed_at is null")
    op.execute(
        """
        create table case_step (
            patient bigint not null,
            number integer not null,
            step integer not null,
            kind text not null,
            taken_by bigint not null,
            at timestamp with time zone not null default clock_timestamp(),
            sealed bytea not null,
            primary key (patient, number, step)
        )
        """
    )
