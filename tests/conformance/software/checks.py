"""What a vendor's software must do, judged by what it really sent to a sandbox. Each check cites who asks for it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from ..checks import SMART, NotRun
from .watching import Exchange, read_jwt

RFC: Final = "https://www.rfc-editor.org/rfc/"
_DISCOVERY: Final = ("smart-configuration", "openid-configuration", "oauth-authorization-server", "/fhir/metadata")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
SHORTEST_STATE: Final = 22
"""What 128 bits are in base64url; SMART asks for 122."""
ENOUGH: Final = 4
"""FHIR calls from which on tokens are counted against them."""
FIRST_REFUSAL: Final = 400
NOT_KNOWN: Final = 401


class Software:
    """One registration, as its request file states it, and what was seen of it. `server` is the public address."""

    def __init__(self, file: Mapping[str, Any], server: str, seen: Sequence[Exchange]) -> None:
        self.file, self.server, self.seen = file, server, seen

    @property
    def client_id(self) -> str:
        return str(self.file["client_id"])

    @property
    def is_app(self) -> bool:
        return self.file.get("kind") == "app"

    @cached_property
    def authorizations(self) -> list[Mapping[str, str]]:
        """The parameters of each authorization request of its own: pushed, or in the address."""
        pushed = [one.form for one in self.seen if one.path == "/oauth/par" and self._is_ours(one)]
        asked = [
            one.query or one.form
            for one in self.seen
            if one.path == "/oauth/authorize" and (one.query or one.form).get("client_id") == self.client_id
        ]
        # Sign-in leads back to the same request: it counts once.
        plain = {tuple(sorted(one.items())): one for one in asked if "request_uri" not in one}
        return [*pushed, *plain.values()]

    @cached_property
    def tokens(self) -> list[Exchange]:
        """Its calls to the token address."""
        return [one for one in self.seen if one.path == "/oauth/token" and self._is_ours(one)]

    @cached_property
    def calls(self) -> list[Exchange]:
        """Its FHIR calls: those that carry, in whatever place, a token it was given."""
        given = {str(one.answer["access_token"]) for one in self.tokens if "access_token" in one.answer}
        return [one for one in self.seen if one.path.startswith("/fhir") and _token_of(one) in given]

    @cached_property
    def assertions(self) -> list[str]:
        return [one.form["client_assertion"] for one in self.tokens if one.form.get("client_assertion")]

    def _is_ours(self, one: Exchange) -> bool:
        claimed = one.form.get("client_id") or read_jwt(one.form.get("client_assertion", ""))[1].get("iss")
        return claimed == self.client_id


def _token_of(one: Exchange) -> str:
    return one.authorization.partition(" ")[2] or one.query.get("access_token", "") or one.form.get("access_token", "")


@dataclass(frozen=True, slots=True)
class Check:
    """`faults` yields what is wrong; raises NotRun where nothing was seen to judge."""

    name: str
    says: str
    cites: str
    faults: Callable[[Software], Iterator[str]]


EVERY: Final[list[Check]] = []
Judge = Callable[[Software], Iterator[str]]


def check(name: str, says: str, cites: str) -> Callable[[Judge], Judge]:
    def add(judge: Judge) -> Judge:
        EVERY.append(Check(name, says, cites, judge))
        return judge

    return add


T = TypeVar("T")


def _some(found: Sequence[T], what: str) -> Sequence[T]:
    if not found:
        raise NotRun(f"No {what} was seen.")
    return found


def _of_app(software: Software) -> Sequence[Mapping[str, str]]:
    if not software.is_app:
        raise NotRun("A backend sends nobody to sign in.")
    return _some(software.authorizations, "authorization request")


def _twice(values: Sequence[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1 and value]


@check("discovery", "Reads where the endpoints are.", f"{SMART}/app-launch.html#obtain-authorization-code")
def discovery(software: Software) -> Iterator[str]:
    _some(software.tokens, "call to the token address")
    if not any(one.path.endswith(_DISCOVERY) for one in software.seen):
        yield "It never read .well-known/smart-configuration: addresses of another server would be wrong."


@check("pkce", "PKCE with S256 at each authorization.", f"{SMART}/app-launch.html#considerations-for-pkce-support")
def pkce(software: Software) -> Iterator[str]:
    asked = _of_app(software)
    for one in asked:
        if one.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(one.get("code_challenge", "")):
            yield "An authorization request has no code_challenge of S256."
    if _twice([one.get("code_challenge", "") for one in asked]):
        yield "A code_challenge was used for two requests."


@check("state", "A state that nobody guesses, anew each time.", f"{SMART}/app-launch.html#obtain-authorization-code")
def state(software: Software) -> Iterator[str]:
    asked = _of_app(software)
    if any(len(one.get("state", "")) < SHORTEST_STATE for one in asked):
        yield f"A state has fewer than {SHORTEST_STATE} characters: 122 bits are asked for."
    if _twice([one.get("state", "") for one in asked]):
        yield "A state was used for two requests."


@check("aud", "Says for which FHIR server the token is.", f"{SMART}/app-launch.html#obtain-authorization-code")
def aud(software: Software) -> Iterator[str]:
    for one in _of_app(software):
        if one.get("aud", one.get("resource")) != f"{software.server}/fhir":
            yield f"An authorization request has another aud than {software.server}/fhir."


@check("redirect", "Comes back to a registered address.", f"{RFC}rfc9700.html#section-2.1")
def redirect(software: Software) -> Iterator[str]:
    for one in _of_app(software):
        if one.get("redirect_uri") not in software.file.get("redirect_uris", ()):
            yield "An authorization request names a redirect_uri that the file does not."


@check(
    "scopes", "Asks for nothing that the file does not give a reason for.", f"{SMART}/scopes-and-launch-context.html"
)
def scopes(software: Software) -> Iterator[str]:
    asked = [
        *(one.get("scope", "") for one in software.authorizations),
        *(t.form.get("scope", "") for t in software.tokens),
    ]
    reasons = {one["scope"] for one in software.file["scopes"]}
    for scope in sorted({one for text in _some(asked, "scope") for one in text.split()} - reasons):
        yield f"It asks for {scope}, which the file does not."


@check("launch", "Gives back the handle that it was opened with.", f"{SMART}/app-launch.html#launch-app-ehr-launch")
def launch(software: Software) -> Iterator[str]:
    if not software.file.get("launch_url"):
        raise NotRun("The file names no launch_url.")
    if not any(one.get("launch") for one in _of_app(software)):
        yield "It was never opened on a record, or did not give the handle back."


@check("code", "Uses a code once.", f"{RFC}rfc6749.html#section-4.1.2")
def code(software: Software) -> Iterator[str]:
    if _twice(_some([t.form["code"] for t in software.tokens if t.form.get("code")], "code")):
        yield "A code was sent twice: what it gave has ended."


@check("refresh", "Uses a refresh token once.", f"{RFC}rfc9700.html#section-2.2.2")
def refresh(software: Software) -> Iterator[str]:
    used = [t.form["refresh_token"] for t in software.tokens if t.form.get("refresh_token")]
    if _twice(_some(used, "refresh token")):
        yield "A refresh token was sent twice: its whole family has ended."


@check("assertion", "Proves who it is as registered.", f"{SMART}/client-confidential-asymmetric.html")
def assertion(software: Software) -> Iterator[str]:
    if not software.file.get("algorithm"):
        raise NotRun("It is registered without keys.")
    for one in _some(software.tokens, "call to the token address"):
        if one.form.get("client_secret") or one.authorization.lower().startswith("basic"):
            yield "It sends a secret: none exists here."
        header, claims = read_jwt(one.form.get("client_assertion", ""))
        if header.get("alg") != software.file["algorithm"] or not header.get("kid"):
            yield f"An assertion is missing, or not signed with {software.file['algorithm']} by a key with a kid."
        if not claims.get("iss") == claims.get("sub") == software.client_id:
            yield "An assertion has other iss and sub than the client_id."
        if claims.get("aud") not in (f"{software.server}/oauth/token", [f"{software.server}/oauth/token"]):
            yield "An assertion has another aud than the token address."
    if _twice([str(read_jwt(one)[1].get("jti", "")) for one in software.assertions]):
        yield "A jti was used twice."


@check("lifetime", "Keeps a token until it ends.", f"{RFC}rfc6749.html#section-4.2.2")
def lifetime(software: Software) -> Iterator[str]:
    given = sum(one.status == 200 for one in software.tokens)
    # Each time a person opens the software there is a first token, however little is then read.
    spent = given - len(software.authorizations)
    if len(_some(software.calls, "FHIR call")) >= ENOUGH and spent * 2 > len(software.calls):
        yield f"{given} tokens for {len(software.calls)} calls: a token lives five minutes."


@check("works", "Reads or writes something with its token.", f"{SMART}/app-launch.html#access-fhir-api")
def works(software: Software) -> Iterator[str]:
    if not any(one.status < FIRST_REFUSAL for one in _some(software.calls, "FHIR call")):
        yield "Every FHIR call was refused."


@check("header", "Sends the token in the header alone.", f"{RFC}rfc9700.html#section-4.3.2")
def header(software: Software) -> Iterator[str]:
    if any(one.query.get("access_token") or one.form.get("access_token") for one in _some(software.calls, "FHIR call")):
        yield "A token stands in an address or a form: it ends up in logs."


@check("refused-token", "Does not send a refused token again.", f"{RFC}rfc6750.html#section-3.1")
def refused_token(software: Software) -> Iterator[str]:
    refused: Counter[str] = Counter()
    for one in _some(software.calls, "FHIR call"):
        if one.status == NOT_KNOWN:
            refused[_token_of(one)] += 1
    if any(times > 1 for times in refused.values()):
        yield "A token that was refused with 401 was sent again."


@check("dpop", "Proves the key at each call.", f"{RFC}rfc9449.html")
def dpop(software: Software) -> Iterator[str]:
    if software.file.get("binding") != "dpop":
        raise NotRun("It is not registered for DPoP.")
    calls = [*_some(software.tokens, "call to the token address"), *software.calls]
    if any(not one.proof for one in calls):
        yield "A call has no proof in the header DPoP."
    if any(not one.authorization.startswith("DPoP ") for one in software.calls):
        yield "A FHIR call has another scheme than DPoP."
    if _twice([str(read_jwt(one.proof)[1].get("jti", "")) for one in calls if one.proof]):
        yield "A proof was sent twice."
