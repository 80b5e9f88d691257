"""Sessions know the one that they were exchanged for; and no private key of a vendor is kept."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_PRIVATE = "array['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']"


def upgrade() -> None:
    op.execute("alter table access_session add column subject bigint")
    op.execute("create index access_session_by_subject on access_session (subject) where subject is not null")
    # A file with a private key was taken. Whoever waits for an answer makes another key; what is kept loses the secret.
    op.execute(
        f"""
        update client_request set
            state = case state when 'to-approve' then 'to-correct' else state end,
            problems = case when state in ('to-approve', 'to-correct')
                then problems || '[["/jwks", "The file held a private key. Make a new key pair, and send the public half."]]'
                else problems end,
            content = jsonb_set(content, '{{jwks,keys}}', (
                select jsonb_agg(case jsonb_typeof(key) when 'object' then key - {_PRIVATE} else key end order by place)
                from jsonb_array_elements(content->'jwks'->'keys') with ordinality as listed (key, place)))
        where jsonb_typeof(content->'jwks'->'keys') = 'array' and exists (
            select from jsonb_array_elements(content->'jwks'->'keys') as listed (key)
            where jsonb_typeof(key) = 'object' and jsonb_exists_any(key, {_PRIVATE}))
        """
    )
