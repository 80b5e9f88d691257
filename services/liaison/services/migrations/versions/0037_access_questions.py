"""What a person asks about an access to their record, and the answer of the data protection officer."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table access_question (
            question bigint not null,
            patient bigint not null,
            worker bigint not null,
            sequence bigint not null,
            sealed bytea not null,
            asked_at timestamp with time zone not null default now(),
            answer bytea,
            answered_at timestamp with time zone,
            primary key (question)
        )
        """
    )
    op.execute("create index access_question_by_patient on access_question (patient)")
