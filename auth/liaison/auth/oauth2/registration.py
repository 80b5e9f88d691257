"""What may be registered for a client (RFC 7591 §2 names the parts). Each rule gives its reason in plain words.

Nothing here decides who registers: that is an administrator's, and for vendors' software two people's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from liaison.auth.oauth2.rfc7523 import ALGORITHMS, key_problem
from liaison.auth.safe_fetch import address_problem
from liaison.auth.smart.scopes import ScopeError, read_scopes

KINDS: Final = ("backend", "app")
BINDINGS: Final = ("", "dpop", "mtls")
"""What a client's tokens are bound to: nothing, a key of its own (RFC 9449), its certificate (RFC 8705)."""

_NO_PROOF: Final = "Only an app that proves who it is, by keys or a certificate, may exchange tokens."


def problem_of(
    *,
    kind: str,
    scope: str,
    jwks: Mapping[str, Any] | None,
    jwks_uri: str,
    algorithm: str,
    binding: str,
    certificate_subject: str,
    redirect_uris: Sequence[str],
    launch_url: str = "",
    post_logout_redirect_uris: Sequence[str] = (),
    introspects: bool = False,
    exchanges: bool = False,
    owned: bool,
    private: bool,
) -> str:
    """Why this may not be registered; '' when it may. `owned`: it has an organisation, a role and a purpose.
    `private`: its jwks_uri may be of this machine (a sandbox set up for it)."""
    return (
        _kind_problem(kind, scope, redirect_uris, owned=owned, exchanges=exchanges)
        or _proof_problem(kind, jwks, jwks_uri, algorithm, certificate_subject, private=private)
        or _binding_problem(binding, certificate_subject)
        or next((text for uri in (*redirect_uris, *post_logout_redirect_uris) if (text := redirect_problem(uri))), "")
        or _launch_problem(kind, launch_url, scope)
        or ("Only a client with keys may introspect." if introspects and not (jwks or jwks_uri) else "")
        or (_NO_PROOF if exchanges and not (jwks or jwks_uri or certificate_subject) else "")
    )


def _kind_problem(kind: str, scope: str, redirect_uris: Sequence[str], *, owned: bool, exchanges: bool) -> str:
    if kind not in KINDS:
        return f"The kind is one of: {', '.join(KINDS)}."
    try:
        scopes = read_scopes(scope)
    except ScopeError as error:
        return str(error)
    if not scopes.scopes and (kind == "backend" or not scopes.signs_in):
        return "A client needs at least one resource scope; an app that only asks who someone is needs openid."
    if kind == "backend":
        if scopes.context != "system":
            return "A backend client has system/ scopes only."
        if not owned:
            return "A backend client acts for an organisation, in a role and for a purpose."
        if redirect_uris:
            return "A backend client has no redirect address."
    elif scopes.context == "system":
        return "An app acts for a person: it has no system/ scopes."
    elif not redirect_uris and not exchanges:
        return "An app needs at least one redirect address."
    return ""


def _proof_problem(
    kind: str,
    jwks: Mapping[str, Any] | None,
    jwks_uri: str,
    algorithm: str,
    certificate_subject: str,
    *,
    private: bool,
) -> str:
    if sum((jwks is not None, bool(jwks_uri), bool(certificate_subject))) > 1:
        return "A client proves itself in one way: keys registered here, keys at its jwks_uri, or its certificate."
    if certificate_subject:
        return "" if not algorithm else "A client that proves itself by its certificate signs nothing: no algorithm."
    if jwks is None and not jwks_uri:
        return "A backend client needs keys." if kind == "backend" else ""
    return key_set_problem(jwks, jwks_uri, algorithm, private=private)


def key_set_problem(jwks: Mapping[str, Any] | None, jwks_uri: str, algorithm: str, *, private: bool = False) -> str:
    """Why these keys may not be those of a client; '' when they may. One of the two is given."""
    if algorithm not in ALGORITHMS:
        return f"The algorithm is exactly one of: {', '.join(ALGORITHMS)}."
    if jwks_uri:
        problem = address_problem(jwks_uri, private=private)
        return f"The jwks_uri is refused: {problem}." if problem else ""
    keys = jwks.get("keys") if jwks else None
    if not isinstance(keys, list) or not keys:
        return "The key set holds no keys."
    return next((text for key in keys if (text := key_problem(key))), "")


def _binding_problem(binding: str, certificate_subject: str) -> str:
    if binding not in BINDINGS:
        return f"The binding is one of: {', '.join(BINDINGS[1:])}, or none."
    if certificate_subject and binding != "mtls":
        return "A client that proves itself by its certificate has its tokens bound to it: binding mtls."
    return ""


def _launch_problem(kind: str, launch_url: str, scope: str) -> str:
    if not launch_url:
        return ""
    if kind != "app" or "launch" not in scope.split():
        return "A launch address is for an app that has the scope 'launch'."
    if urlsplit(launch_url).scheme not in ("https", "http"):
        return f"{launch_url}: our pages open https addresses, or http on the app's own machine."
    return redirect_problem(launch_url)


def redirect_problem(uri: str) -> str:
    """Why an address may not be registered; '' when it may. It will be compared exactly, character by character."""
    parts = urlsplit(uri)
    if not uri.isascii() or any(c.isspace() for c in uri) or "*" in uri or "\\" in uri:
        return f"{uri}: a redirect address is one exact address."
    if parts.fragment or uri.endswith("#") or parts.username or parts.password:
        return f"{uri}: a redirect address has no fragment and no user."
    if parts.scheme == "https" and parts.hostname:
        return ""
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"):
        return ""  # RFC 8252 §7.3: the app's own machine
    if "." in parts.scheme and not parts.netloc:
        return ""  # RFC 8252 §7.1: a scheme of the app's own domain name, reversed
    return f"{uri}: a redirect address is https, http on the app's own machine, or a scheme like fr.example.app."
