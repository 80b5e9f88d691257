"""Second factors: authenticator apps, passkeys, and what a browser is in the middle of while it proves one."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table totp (
            account bigint not null,
            sealed bytea not null,
            last_step bigint not null default '0',
            failures integer not null default '0',
            locked_until timestamp with time zone,
            confirmed_at timestamp with time zone,
            primary key (account)
        )
        """
    )
    op.execute(
        """
        create table passkey (
            credential bytea not null,
            account bigint not null,
            public_key bytea not null,
            sign_count bigint not null,
            label text not null,
            made_at timestamp with time zone not null default now(),
            used_at timestamp with time zone,
            primary key (credential)
        )
        """
    )
    op.execute("create index passkey_by_account on passkey (account)")
    op.execute(
        """
        create table ceremony (
            token bytea not null,
            kind text not null,
            account bigint not null,
            expires_at timestamp with time zone not null,
            primary key (token)
        )
        """
    )
    op.execute("alter table browser_session add column factors smallint not null default '1'")
    op.execute("alter table browser_session add column seen_at timestamp with time zone not null default now()")
