"""OAuth 2.0 Step Up Authentication Challenge (RFC 9470): a write of the directory that gives rights, and emergency access, ask
for a recent proof.

Who may change a PractitionerRole, an Organization or a Practitioner decides what everybody else may see; a token that was
taken from an administrator's software, or a browser left open, is not enough for it. The answer names `max_age`, which the
software asks for at /oauth/authorize, as it does for any sign-in that has to be younger.
"""

from typing import Final

import asyncpg

from liaison.auth.people.browsers import RECENT
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unauthorized

GIVES_RIGHTS: Final = frozenset(kind_of(type_) for type_ in ("PractitionerRole", "Organization", "Practitioner"))
"""Roles and their structures; and the identifiers by which Pro Santé Connect finds somebody."""
MAX_AGE: Final = int(RECENT.total_seconds())


class ProofTooOld(Unauthorized):
    """Whoever is behind the session proved who they are too long ago, or it is not known when."""

    def __init__(self, why: str = "This changes what others may see") -> None:
        super().__init__(f"{why}: a sign-in of less than {MAX_AGE // 60} minutes is needed.")


def challenge() -> str:
    """The header WWW-Authenticate (§3)."""
    return (
        'Bearer realm="fhir", error="insufficient_user_authentication",'
        f' error_description="A more recent sign-in is needed.", max_age="{MAX_AGE}"'
    )


async def check(connection: "asyncpg.Connection | asyncpg.Pool", session: int, *why: str) -> None:
    """Raises ProofTooOld. The proof of a browser is dated by its session, that of a token by the sign-in that its family
    was agreed to in; a session of neither began with one. A code's row that is gone is older than any of that."""
    recent = await connection.fetchval(
        """
        select coalesce(
            (select b.started_at from browser_session b where b.session = s.session),
            (select to_timestamp((c.request->>'signed_in_at')::float8) from authorization_code c
             where c.family = s.family order by c.expires_at desc limit 1),
            case when s.family is null then s.started_at end
        ) > now() - $2::interval
        from access_session s where s.session = $1
        """,
        session,
        RECENT,
    )
    if not recent:
        raise ProofTooOld(*why)
