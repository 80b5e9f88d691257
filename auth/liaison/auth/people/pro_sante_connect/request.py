"""The authorization request (OpenID Connect Core §3.1.2), bound to one browser, and the exchange of its code.

`state`, `nonce` and the PKCE verifier (RFC 7636) are derived from the browser's own cookie: a code that was given to
another browser finds neither its state nor its verifier here. The request is pushed (RFC 9126) where the provider takes it.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from liaison.auth.oauth2.rfc7636 import challenge_of
from liaison.auth.people import ceremonies
from liaison.auth.people.pro_sante_connect import calls, identity
from liaison.auth.people.pro_sante_connect.calls import NotAnswered
from liaison.auth.people.pro_sante_connect.id_token import Claims, NotProven, verify
from liaison.auth.people.pro_sante_connect.provider import Provider

SCOPE: Final = "openid scope_all"


def _text(cookie: str, use: str) -> str:
    return urlsafe_b64encode(ceremonies.derived(cookie, f"pro-sante-connect {use}")).rstrip(b"=").decode()


async def begin(provider: Provider, cookie: str, *, again: bool = False) -> str:
    """The address to send the browser to. Raises NotAnswered. `again`: whoever is signed in there already is asked once
    more who they are; the `auth_time` that comes back says whether they were."""
    known, addresses = provider.registration, await provider.addresses()
    asked = {
        "response_type": "code",
        "client_id": known.client_id,
        "redirect_uri": known.redirect_uri,
        "scope": SCOPE,
        "acr_values": " ".join(known.accepted),
        "state": _text(cookie, "state"),
        "nonce": _text(cookie, "nonce"),
        "code_challenge": challenge_of(_text(cookie, "verifier")),
        "code_challenge_method": "S256",
        **({"prompt": "login"} if again else {}),
    }
    if addresses.pushed:
        basic = calls.basic(known.client_id, known.secret)
        reply = await calls.ask(addresses.pushed, form=asked, authorization=basic)
        uri = reply.content.get("request_uri")
        if reply.status != 201 or not isinstance(uri, str):
            raise NotAnswered("The provider did not take the pushed request.")
        asked = {"client_id": known.client_id, "request_uri": uri}
    joint = "&" if "?" in addresses.authorization else "?"
    return addresses.authorization + joint + urlencode(asked)


async def finish(
    provider: Provider, cookie: str, answer: Mapping[str, str], now: float
) -> tuple[identity.Professional, Claims, str]:
    """Who came back, what proves it, and the id_token itself (for signing out there).

    Raises NotProven for an answer that is not this browser's, or a proof that is not enough; NotAnswered.
    """
    known = provider.registration
    if not hmac.compare_digest(answer.get("state", "").encode(), _text(cookie, "state").encode()):
        raise NotProven("state")
    if answer.get("iss", known.issuer) != known.issuer:  # RFC 9207, where it is sent
        raise NotProven("iss")
    code = answer.get("code", "")
    if not code or "error" in answer:
        raise NotProven("code")
    addresses = await provider.addresses()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": known.redirect_uri,
        "code_verifier": _text(cookie, "verifier"),
    }
    reply = await calls.ask(addresses.token, form=form, authorization=calls.basic(known.client_id, known.secret))
    if reply.status != 200:
        raise NotProven("token")
    token, access = reply.content.get("id_token"), reply.content.get("access_token")
    if not isinstance(token, str) or not isinstance(access, str):
        raise NotProven("token")
    claims = await verify(provider, token, now, nonce=_text(cookie, "nonce"))
    said = await _userinfo(addresses.userinfo, access)
    if said.get("sub") != claims.subject:  # OpenID Connect Core §5.3.2
        raise NotProven("userinfo")
    return identity.professional(said), claims, token


async def _userinfo(address: str, access: str) -> dict[str, Any]:
    reply = await calls.ask(address, authorization=f"Bearer {access}")
    if reply.status != 200:
        raise NotProven("userinfo")
    return reply.content
