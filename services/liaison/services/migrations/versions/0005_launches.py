"""EHR launches, pushed authorization requests, and what they add to a client's registration."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table client add column launch_url text")
    op.execute("alter table client add column post_logout_redirect_uris jsonb not null default '[]'")
    op.execute("alter table client add column introspects boolean not null default false")
    op.execute("create index authorization_code_by_family on authorization_code (family)")
    op.execute(
        """
        create table launch (
            handle bytea not null,
            client bigint not null,
            account bigint not null,
            context jsonb not null,
            expires_at timestamp with time zone not null,
            used_at timestamp with time zone,
            primary key (handle)
        )
        """
    )
    op.execute(
        """
        create table pushed_request (
            reference bytea not null,
            client bigint not null,
            sealed bytea not null,
            expires_at timestamp with time zone not null,
            used_at timestamp with time zone,
            primary key (reference)
        )
        """
    )
