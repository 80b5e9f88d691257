"""The forms of a home visit that a service has published, each version once and for all."""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table visit_form (
            organization bigint not null,
            model text not null,
            version integer not null,
            address text not null,
            content text not null,
            published_by bigint not null,
            published_at timestamp with time zone not null default now(),
            primary key (organization, model, version)
        )
        """
    )
    op.execute("create unique index visit_form_address on visit_form (address, version)")
