"""What may be registered for a client (RFC 7591 §2 names the parts). Each rule gives its reason in plain words.

Nothing here decides who registers: that is an administrator's, and for vendors' software two people's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from liaison.auth.oauth2.rfc7523 import ALGORITHMS, key_problem
from liaison.auth.safe_fetch import address_problem
from liaison.auth.smart.scopes import ScopeError, read_scopes

KINDS: Final = ("backend", "app")
BINDINGS: Final = ("", "dpop", "mtls")
"""What a client's tokens are bound to: nothing, a key of its own (RFC 9449), its certificate (RFC 8705)."""

_NO_PROOF: Final = "Only an app that proves who it is, by keys or a certificate, may exchange tokens."


class Fault(NamedTuple):
    """`part` is the parameter it is about, and in a list the number of it: `redirect_uris/0`."""

    part: str
    text: str


def problems_of(
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
) -> Iterator[Fault]:
    """Why this may not be registered; nothing when it may. `owned`: it has an organisation, a role and a purpose.
    `private`: its jwks_uri may be of this machine (a sandbox set up for it)."""
    proved = jwks is not None or bool(jwks_uri)
    yield from _kind_problems(kind, scope, redirect_uris, owned=owned, exchanges=exchanges)
    yield from _proof_problems(kind, jwks, jwks_uri, algorithm, certificate_subject, private=private)
    yield from _binding_problems(binding, certificate_subject)
    for part, uris in (("redirect_uris", redirect_uris), ("post_logout_redirect_uris", post_logout_redirect_uris)):
        for number, uri in enumerate(uris):
            if text := redirect_problem(uri):
                yield Fault(f"{part}/{number}", text)
    if text := _launch_problem(kind, launch_url, scope):
        yield Fault("launch_url", text)
    if introspects and not proved:
        yield Fault("introspects", "Only a client with keys may introspect.")
    if exchanges and not (proved or certificate_subject):
        yield Fault("exchanges", _NO_PROOF)


def _kind_problems(
    kind: str, scope: str, redirect_uris: Sequence[str], *, owned: bool, exchanges: bool
) -> Iterator[Fault]:
    if kind not in KINDS:
        yield Fault("kind", f"The kind is one of: {', '.join(KINDS)}.")
        return
    if text := _scope_problem(kind, scope):
        yield Fault("scopes", text)
    if kind == "app":
        if not redirect_uris and not exchanges:
            yield Fault("redirect_uris", "An app needs at least one redirect address.")
        return
    if not owned:
        yield Fault("role", "A backend client acts for an organisation, in a role and for a purpose.")
    if redirect_uris:
        yield Fault("redirect_uris", "A backend client has no redirect address.")


def _scope_problem(kind: str, scope: str) -> str:
    try:
        scopes = read_scopes(scope)
    except ScopeError as error:
        return str(error)
    if not scopes.scopes and (kind == "backend" or not scopes.signs_in):
        return "A client needs at least one resource scope; an app that only asks who someone is needs openid."
    if kind == "backend" and scopes.context != "system":
        return "A backend client has system/ scopes only."
    if kind == "app" and scopes.context == "system":
        return "An app acts for a person: it has no system/ scopes."
    return ""


def _proof_problems(
    kind: str,
    jwks: Mapping[str, Any] | None,
    jwks_uri: str,
    algorithm: str,
    certificate_subject: str,
    *,
    private: bool,
) -> Iterator[Fault]:
    if sum((jwks is not None, bool(jwks_uri), bool(certificate_subject))) > 1:
        part = "certificate_subject" if certificate_subject else "jwks_uri"
        yield Fault(
            part, "A client proves itself in one way: keys registered here, keys at its jwks_uri, or its certificate."
        )
    elif certificate_subject:
        if algorithm:
            yield Fault("algorithm", "A client that proves itself by its certificate signs nothing: no algorithm.")
    elif jwks is None and not jwks_uri:
        if kind == "backend":
            yield Fault("jwks", "A backend client needs keys.")
    else:
        if text := _algorithm_problem(algorithm):
            yield Fault("algorithm", text)
        if text := _keys_problem(jwks, jwks_uri, private=private):
            yield Fault("jwks_uri" if jwks_uri else "jwks", text)


def key_set_problem(jwks: Mapping[str, Any] | None, jwks_uri: str, algorithm: str, *, private: bool = False) -> str:
    """Why these keys may not be those of a client; '' when they may. One of the two is given."""
    return _algorithm_problem(algorithm) or _keys_problem(jwks, jwks_uri, private=private)


def _algorithm_problem(algorithm: str) -> str:
    return "" if algorithm in ALGORITHMS else f"The algorithm is exactly one of: {', '.join(ALGORITHMS)}."


def _keys_problem(jwks: Mapping[str, Any] | None, jwks_uri: str, *, private: bool) -> str:
    if jwks_uri:
        problem = address_problem(jwks_uri, private=private)
        return f"The jwks_uri is refused: {problem}." if problem else ""
    keys = jwks.get("keys") if jwks else None
    if not isinstance(keys, list) or not keys:
        return "The key set holds no keys."
    return next((text for key in keys if (text := key_problem(key))), "")


def _binding_problems(binding: str, certificate_subject: str) -> Iterator[Fault]:
    if binding not in BINDINGS:
        yield Fault("binding", f"The binding is one of: {', '.join(BINDINGS[1:])}, or none.")
    elif certificate_subject and binding != "mtls":
        yield Fault(
            "binding", "A client that proves itself by its certificate has its tokens bound to it: binding mtls."
        )


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
