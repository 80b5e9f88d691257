"""Whoever acts in a professional's place is of the same profession, and the directory says so.

Until `liaison rights rebuild` has read the qualifications, nobody does: their sessions end, and what they were granted.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create table known_profession (practitioner bigint not null, profession text not null,"
        " primary key (practitioner, profession))"
    )
    op.execute(
        "create table awaiting_role (role bigint not null, role_code text not null, primary key (role, role_code))"
    )
    op.execute(
        "insert into awaiting_role select role, role_code from held_role"
        " where active and role_code in ('substitute', 'trainee')"
    )
    waiting = "(select role from awaiting_role)"
    op.execute(
        f"update held_role set active = false where role_code in ('substitute', 'trainee') and role in {waiting}"
    )
    op.execute(f"delete from access_grant where principal in {waiting}")
    op.execute(f"update access_session set ended_at = now() where role in {waiting} and ended_at is null")
