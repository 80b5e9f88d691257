"""From an identity to a record's number, for an auditor who has a reason: the reasoned unmask.

An auditor sees no Patient. Typing an INS or the full traits, with a reason, gives the record's id and nothing of its
content; the search is an entry of the journal whether it finds someone or not.
"""

from datetime import date

import asyncpg

from liaison.auth.access.roles import OFFICERS
from liaison.auth.caller import Caller
from liaison.auth.journal import audit_rights
from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Forbidden, Unprocessable
from liaison.fhir.model.check_digits import INS_SYSTEMS
from liaison.fhir.store import identity
from liaison.fhir.store.contract import Key
from liaison.fhir.vault import Vault


def tokens_of_ins(vault: Vault, matricule: str) -> list[tuple[int, bytes]]:
    """The tokens under which a matricule of 15 characters may stand, one an INS system (real, waiting, test, demo)."""
    value = "".join(matricule.split()).upper()
    return [(identity.IDENTIFIER, identity.identifier_token(vault, system, value)) for system in INS_SYSTEMS]


def tokens_of_traits(vault: Vault, family: str, given: str, birth: date) -> list[tuple[int, bytes]]:
    return [(identity.TRAITS, identity.traits_token(vault, family, given, birth.isoformat()))]


async def unmask(
    connection: "asyncpg.Connection | asyncpg.Pool",
    journal: Journal,
    caller: Caller,
    tokens: list[tuple[int, bytes]],
    reason: str,
) -> list[Key]:
    """The Patients that carry one of these tokens and of whom the caller may read something in the journal: whether anybody else
    is known in the territory is not told, neither by the answer nor by its entry, which keeps them sealed. Durable in the
    journal, with its reason, before this returns.

    Raises Forbidden for anyone but an auditor or a data protection officer, Unprocessable without a reason.
    """
    if caller.role_code not in OFFICERS:
        raise Forbidden("Only an auditor may look a record up by identity.")
    if not reason.strip():
        raise Unprocessable("A reason is needed.")
    rows = await connection.fetch(
        """
        select distinct t.patient, t.kind, t.res
        from unnest($1::smallint[], $2::bytea[]) as asked(space, token)
        join identity_token t on t.space = asked.space and t.token = asked.token
        where t.kind = $3
        """,
        [space for space, _ in tokens],
        [token for _, token in tokens],
        kind_of("Patient"),
    )
    known = [Key(row["patient"], row["kind"], row["res"]) for row in rows]
    found = [key for key in known if await audit_rights.of_interest(connection, caller.session, key.patient)]
    hidden = [key.patient for key in known if key not in found]
    about = [key.patient for key in found] or [0]
    await journal.record(
        [
            entry(
                caller,
                Event.JOURNAL_READ,
                patient=patient,
                reason=reason.strip(),
                detail={"act": Act.UNMASKED, "unmask": len(found), "hidden": hidden},
            )
            for patient in about
        ]
    )
    return found
