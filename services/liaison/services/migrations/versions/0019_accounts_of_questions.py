"""Questions about identities are counted by kind of work, and for whoever answers for the one who asks."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table identity_attempt add column answerable bigint not null default 0")
    op.execute("alter table identity_attempt add column account smallint not null default 0")
    op.execute("update identity_attempt set answerable = asker")
    op.execute("alter table identity_attempt alter column answerable drop default")
    op.execute("alter table identity_attempt alter column account drop default")
    op.execute("drop index identity_attempt_by_asker")
    op.execute("create index identity_attempt_by_asker on identity_attempt (asker, account, at)")
    op.execute("create index identity_attempt_by_answerable on identity_attempt (answerable, account, at)")
