"""The id_token (OpenID Connect Core §3.1.3.7) and the logout token (Back-Channel Logout 1.0 §2.6) of the provider.

The algorithm is the pinned one, whatever the header says; `acr` must be there and be enough (ANS's own connector takes a
missing one for eidas1: here it is a refusal); `nonce` ties the token to the browser that asked for it.
"""

import hmac
from dataclasses import dataclass
from typing import Any, Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from liaison.auth.people.pro_sante_connect.provider import ALGORITHM, Provider

SKEW: Final = 60
"""Seconds that the provider's clock may differ from ours."""
OLDEST: Final = 4 * 3600
"""How old the sign-in there may be: its session lasts four hours."""
LONGEST: Final = 16 * 1024
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_LASTS: Final = 300
_HEADER: Final = {"alg", "kid", "typ"}


class NotProven(Exception):
    """Who it is was not proven. `what` names the failing check, for the journal; never shown, and no value of a token."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"The check of {what} failed.")


@dataclass(frozen=True, slots=True)
class Claims:
    """`session` is the provider's `sid`, '' when it gives none."""

    subject: str
    session: str
    acr: str
    auth_time: float


async def _signed(provider: Provider, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(token) > LONGEST or not token.isascii():
        raise NotProven("form")
    try:
        found = jws.extract_compact(token.encode())
        header, claims = found.headers(), orjson.loads(found.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise NotProven("form") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotProven("form")
    if header.get("alg") != ALGORITHM or not header.keys() <= _HEADER:
        raise NotProven("alg")
    key = await provider.key(header.get("kid"))
    if key is None:
        raise NotProven("kid")
    try:
        valid = jws.validate_compact(found, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError):
        raise NotProven("signature") from None
    if not valid:
        raise NotProven("signature")
    return header, claims


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotProven(name)
    return float(value)


def _for_us(provider: Provider, claims: dict[str, Any], now: float) -> None:
    known = provider.registration
    if claims.get("iss") != known.issuer:
        raise NotProven("iss")
    # For us alone: we know of no other that may hold a token of ours (Core §3.1.3.7, 3).
    if claims.get("aud") not in (known.client_id, [known.client_id]):
        raise NotProven("aud")
    if claims.get("azp", known.client_id) != known.client_id:
        raise NotProven("azp")
    if _moment(claims, "iat") > now + SKEW:
        raise NotProven("iat")


async def verify(provider: Provider, token: str, now: float, *, nonce: str) -> Claims:
    """Raises NotProven. An access token or a logout token of the same key is no id_token (RFC 8725 §3.11)."""
    header, claims = await _signed(provider, token)
    if header.get("typ", "JWT") != "JWT":
        raise NotProven("typ")
    _for_us(provider, claims, now)
    if _moment(claims, "exp") <= now - SKEW:
        raise NotProven("exp")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotProven("nonce")
    acr = claims.get("acr")
    if not isinstance(acr, str) or acr not in provider.registration.accepted:
        raise NotProven("acr")
    # Asked of providers that state it; a token without it was made for this sign-in, which its iat dates.
    proven = _moment(claims, "auth_time") if "auth_time" in claims else _moment(claims, "iat")
    if not now - OLDEST - SKEW < proven <= now + SKEW:
        raise NotProven("auth_time")
    subject, session = claims.get("sub"), claims.get("sid", claims.get("session_state", ""))
    if not isinstance(subject, str) or not subject or not isinstance(session, str):
        raise NotProven("sub")
    return Claims(subject, session, acr, proven)


async def verify_logout(provider: Provider, token: str, now: float) -> str:
    """The `sid` that was signed out there. Raises NotProven: an id_token is no logout token (§2.6)."""
    header, claims = await _signed(provider, token)
    _for_us(provider, claims, now)
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events:
        raise NotProven("events")
    if "nonce" in claims or header.get("typ", "logout+jwt") not in ("logout+jwt", "JWT"):
        raise NotProven("nonce")
    if not now - LOGOUT_LASTS - SKEW < _moment(claims, "iat"):
        raise NotProven("iat")
    session = claims.get("sid")
    if not isinstance(session, str) or not session:
        raise NotProven("sid")
    return session
