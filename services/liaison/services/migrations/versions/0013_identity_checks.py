"""Which patient or representative was seen with a document, before an account is opened for them."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table identity_check (
            identity_check bigint not null,
            fhir_kind smallint not null,
            fhir_patient bigint not null,
            fhir_res bigint not null,
            checked_by bigint not null,
            document text not null,
            seen_on date not null,
            at timestamp with time zone not null default now(),
            account bigint,
            primary key (identity_check)
        )
        """
    )
    op.execute("create index identity_check_by_person on identity_check (fhir_res)")
    op.execute("create index identity_check_by_account on identity_check (account) where account is not null")
