"""The table of rules in force, when it is not the packaged one, and how far the grants follow it."""

from alembic import op

from liaison.auth.access.adopted import goal, packaged_digest

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table adopted_rules (
            number integer not null,
            version text not null,
            dated date not null,
            digest text not null,
            text text not null,
            before integer,
            withdrawal smallint not null default '0',
            sealed bytea not null,
            at timestamp with time zone not null default now(),
            primary key (number)
        )
        """
    )
    op.execute(
        """
        create table regranting (
            regranting smallint not null,
            granted text not null,
            towards text,
            after_patient bigint,
            done integer,
            total integer,
            primary key (regranting)
        )
        """
    )
    # By which release's table the grants of an older base were computed is written nowhere: they are computed once more.
    op.execute(
        "insert into regranting (regranting, granted) select 0,"
        f" case when exists (select from patient) then '' else '{goal(packaged_digest())}' end"
    )
