"""Alerts are carried to those who read them: what is to be sent, by which channels they have accepted, and a service's own numbers."""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table alert_change (
            patient bigint not null,
            res bigint not null,
            changed_at timestamp with time zone not null default clock_timestamp(),
            primary key (patient, res)
        )
        """
    )
    op.execute("create index alert_change_next on alert_change (changed_at)")
    op.execute(
        """
        create table alert_message (
            patient bigint not null,
            res bigint not null,
            recipient bigint not null,
            channel text not null,
            due timestamp with time zone not null,
            message text not null,
            state text not null default 'waiting',
            why text not null default '',
            attempts smallint not null default '0',
            next_at timestamp with time zone not null default now(),
            since timestamp with time zone not null default now(),
            sent_at timestamp with time zone,
            read_at timestamp with time zone,
            replied_at timestamp with time zone,
            primary key (patient, res, recipient, channel, due)
        )
        """
    )
    op.execute("create index alert_message_next on alert_message (next_at) where state = 'waiting'")
    op.execute("create index alert_message_named on alert_message (message)")
    op.execute("create table mailbox_place (mailbox text primary key, validity bigint not null, uid bigint not null)")
    op.execute("alter table alert_reader add column channels text not null default ''")
    op.execute("alter table alert_reader add column addresses bytea")
    op.execute(
        """
        create table service_number (
            service_number bigint primary key,
            organization bigint not null,
            name text not null,
            phone text not null,
            days text not null,
            begins smallint not null,
            ends smallint not null,
            recorded_by bigint not null,
            since timestamp with time zone not null default now(),
            ended_at timestamp with time zone
        )
        """
    )
    op.execute("create index service_number_now on service_number (organization) where ended_at is null")
