"""Secrets and keys that open something now, by fingerprint, and what a restored base must therefore forget.

A secret that was lost, withdrawn or replaced after the backup would open again what it no longer opens: whoever found
the phone, or the key, could come in. So whatever the backup holds and is no longer among those in force is forgotten.
The newer secret is not in the backup: its owner gets a new link, or an administrator registers the key again.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.journal.entry import Event

Fingerprints = dict[str, list[str]]
"""By kind, of every row of it in force."""

CHANGED_BY: Final = [int(event) for event in (Event.SIGN_IN, Event.RIGHTS, Event.KEYS, Event.CONFIGURATION)]
"""What an entry of the journal is about when one of these may have changed."""


class _Kind(NamedTuple):
    table: str
    of: str
    """SQL of the text that a row's fingerprint is made of: which secret, of whom."""
    there: str
    forget: str
    """SQL that takes it away; the condition follows."""


_KINDS: Final[Mapping[str, _Kind]] = {
    "password": _Kind(
        "account", "account || ' ' || password", "password is not null", "update account set password = null"
    ),
    "pin": _Kind("account", "account || ' ' || pin", "pin is not null", "update account set pin = null"),
    "totp": _Kind("totp", "account || ' ' || encode(sealed, 'hex')", "true", "delete from totp"),
    "passkey": _Kind("passkey", "account || ' ' || encode(credential, 'hex')", "true", "delete from passkey"),
    "client": _Kind(
        "client",
        "concat_ws(' ', client, jwks, jwks_uri, certificate_subject)",
        "active and (jwks is not null or jwks_uri is not null or certificate_subject is not null)",
        "update client set active = false",
    ),
    "activation": _Kind(
        "client_activation",
        "client || ' ' || organization",
        "active",
        "update client_activation set active = false",
    ),
}


def _fingerprint(kind: _Kind) -> str:
    return f"left(encode(sha256(convert_to({kind.of}, 'UTF8')), 'hex'), 32)"


async def fingerprints(connection: asyncpg.Connection) -> Fingerprints:
    """Those of everything in force. A fingerprint is of a hash, of sealed bytes or of what is public: it opens nothing."""
    return {
        name: [
            row[0]
            for row in await connection.fetch(
                f"select {_fingerprint(kind)} as print from {kind.table} where {kind.there} order by print"
            )
        ]
        for name, kind in _KINDS.items()
    }


async def forget_others(connection: asyncpg.Connection, kept: Fingerprints) -> int:
    """Takes away what is not among `kept`; how many. A kind that `kept` does not name is left alone: it was written by
    a version that did not know it."""
    forgotten = 0
    for name, kind in _KINDS.items():
        if name in kept:
            status = await connection.execute(
                f"{kind.forget} where {kind.there} and not {_fingerprint(kind)} = any($1::text[])", kept[name]
            )
            forgotten += int(status.rpartition(" ")[2])
    return forgotten
