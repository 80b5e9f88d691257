"""Passkeys (W3C WebAuthn): the way in that cannot be phished, two factors in one gesture.

The key proves possession, and the device asks its owner for a PIN or a finger (user verification, required here): no
name and no password is typed. The key is bound to our address, so that a page elsewhere gets nothing from it.
Attestation is not asked for: which maker's key it is decides nothing.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import asyncpg
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from liaison.auth.people.accounts import Account, by_number, in_force
from liaison.auth.people.sign_in import SignInRefused

NAME: Final = "Liaison"
_AT_MOST: Final = 20
_WRONG: Final = (WebAuthnException, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Site:
    """What a passkey is bound to (WebAuthn §5.1.2): the host of our public address, and its origin."""

    host: str
    origin: str


class Passkey(NamedTuple):
    credential: bytes
    label: str
    made_at: datetime
    used_at: datetime | None


class NotAPasskey(Exception):
    """What the browser sent is no new passkey of this ceremony."""


def site_of(public_url: str) -> Site | None:
    """None where browsers offer no passkeys: over plain http (but for localhost), and at an address without a name."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme != "https" and host != "localhost":
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return Site(host, f"{parts.scheme}://{parts.netloc}")
    return None


async def of_account(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> list[Passkey]:
    rows = await connection.fetch(
        "select credential, label, made_at, used_at from passkey where account = $1 order by made_at, credential",
        account,
    )
    return [Passkey(*row) for row in rows]


def _named(credentials: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one.credential) for one in credentials]


def options_to_add(site: Site, account: Account, challenge: bytes, present: Sequence[Passkey]) -> str:
    """JSON for navigator.credentials.create: discoverable, with user verification, not one that is there already."""
    made = generate_registration_options(
        rp_id=site.host,
        rp_name=NAME,
        user_id=account.number.to_bytes(8, "big"),
        user_name=account.username,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_named(present),
    )
    return options_to_json(made)


async def add(
    connection: asyncpg.Connection,
    site: Site,
    account: Account,
    challenge: bytes,
    answer: Mapping[str, Any],
    label: str,
) -> None:
    """Raises NotAPasskey for an answer that does not fit this account's ceremony, or a key that is someone's already."""
    try:
        made = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _WRONG:
        raise NotAPasskey from None
    added = await connection.fetchval(
        "insert into passkey (credential, account, public_key, sign_count, label) select $1, $2, $3, $4, $5"
        " where (select count(*) from passkey where account = $2) < $6 on conflict do nothing returning true",
        made.credential_id,
        account.number,
        made.credential_public_key,
        made.sign_count,
        label,
        _AT_MOST,
    )
    if not added:
        raise NotAPasskey


def options_to_prove(site: Site, challenge: bytes, allowed: Sequence[Passkey] = ()) -> str:
    """JSON for navigator.credentials.get. None `allowed`: whichever the person has, who is then known by it."""
    made = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=_named(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(made)


async def prove(
    connection: asyncpg.Connection, site: Site, challenge: bytes, answer: Mapping[str, Any], *, account: int = 0
) -> Account:
    """Whose passkey answered this challenge. Raises SignInRefused, also for a key of someone other than `account`, and
    for one whose counter went back: it was copied."""
    try:
        credential = base64url_to_bytes(str(answer["rawId"]))
    except _WRONG:
        raise SignInRefused from None
    async with connection.transaction():
        row = await connection.fetchrow(
            "select account, public_key, sign_count from passkey where credential = $1 for update", credential
        )
        if row is None or (account and row["account"] != account):
            raise SignInRefused(account)
        found = await by_number(connection, row["account"])
        if found is None:
            raise SignInRefused(account)
        try:
            proven = verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except _WRONG:
            raise SignInRefused(found.number, found.person.res) from None
        if not await in_force(connection, found.number):
            raise SignInRefused(found.number, found.person.res)
        await connection.execute(
            "update passkey set sign_count = $2, used_at = now() where credential = $1",
            credential,
            proven.new_sign_count,
        )
    return found


async def remove(connection: asyncpg.Connection, account: int, credential: bytes) -> bool:
    """False when the account has no such passkey."""
    return bool(
        await connection.fetchval(
            "delete from passkey where account = $1 and credential = $2 returning true", account, credential
        )
    )
