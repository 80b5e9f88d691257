"""Destroying a record left the rows of areas that the command had not loaded: who was in the team, on what basis. They go."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        do $$
        declare
            name text;
        begin
            for name in
                select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'patient'
                where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                    and c.relname !~ '^(patient|journal_)'
            loop
                execute format('delete from %I where patient in (select patient from patient where state = 1)', name);
            end loop;
        end $$
        """
    )
