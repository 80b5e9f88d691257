"""Whose plans are to be looked at for a death (liaison.services.deaths). Everybody with a plan is: some may have died before."""

from alembic import op

from liaison.fhir.definitions import kind_of

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table plan_to_end (
            patient bigint primary key,
            noted_at timestamptz not null default clock_timestamp()
        )
        """
    )
    op.execute(
        "insert into plan_to_end (patient) select distinct patient from version"
        f" where kind = {kind_of('CarePlan')} and superseded is null and not deleted"
    )
