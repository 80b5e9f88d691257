"""The file with which a vendor asks to be registered: JSON, with public keys only, and a reason for each scope.

Every fault is reported, each with where it is in the file (RFC 6901), so that a vendor corrects them all at once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from liaison.auth.oauth2.registration import KINDS, problems_of
from liaison.auth.oauth2.rfc7517 import PRIVATE
from liaison.auth.smart.scopes import ScopeError, read_scopes

LARGEST: Final = 64 * 1024
_TEXT: Final = 500
_KNOWN: Final = {
    "client_id", "name", "kind", "algorithm", "jwks", "jwks_uri", "binding", "certificate_subject", "redirect_uris",
    "launch_url", "scopes", "role", "security_contact",
}  # fmt: skip
_NAMES: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")

_JUDGED_WITH: Final = {
    "launch_url": frozenset({"kind", "scopes"}),
    "jwks": frozenset({"jwks_uri", "certificate_subject"}),
    "jwks_uri": frozenset({"jwks", "certificate_subject"}),
    "redirect_uris": frozenset({"kind"}),
    "binding": frozenset({"certificate_subject"}),
    "role": frozenset({"kind"}),
}
_OF_AN_ACTIVATION: Final = re.compile(r"\.[0-9]+$")


class Problem(NamedTuple):
    """`where` is a JSON Pointer into the file; '' is the whole of it."""

    where: str
    text: str


class BadFile(ValueError):
    """The file cannot be taken; `problems` says why, wherever."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(" ".join(f"{where or '/'}: {text}" for where, text in problems))


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file that is well formed, and would be registered as it is."""

    client_id: str
    name: str
    kind: str
    algorithm: str
    jwks: Mapping[str, Any] | None
    jwks_uri: str
    binding: str
    certificate_subject: str
    redirect_uris: tuple[str, ...]
    launch_url: str
    scopes: tuple[tuple[str, str], ...]
    role: str
    contact: Mapping[str, str]

    @property
    def scope(self) -> str:
        return " ".join(scope for scope, _ in self.scopes)


def read_file(content: bytes, *, private: bool = False, kept: bool = False) -> RequestFile:
    """Raises BadFile with every fault found. `private` as in oauth2.registration. `kept`: it was taken before; what has
    to be refused only when a file comes is no reason not to show it."""
    if len(content) > LARGEST:
        raise BadFile(Problem("", f"The file is larger than {LARGEST} bytes."))
    try:
        tree = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise BadFile(Problem("", "The file is not JSON.")) from None
    if not isinstance(tree, dict):
        raise BadFile(Problem("", "The file is one JSON object."))
    problems = [*_problems(tree)]
    told = frozenset(one.where.split("/")[1] for one in problems)
    problems += _as_a_whole({name: part for name, part in tree.items() if name not in told}, told, private=private)
    if not kept:
        problems += _not_to_be_kept(tree)
    if problems:
        raise BadFile(*problems)
    return _file(tree)


def _file(tree: Mapping[str, Any]) -> RequestFile:
    return RequestFile(
        client_id=tree["client_id"],
        name=tree["name"].strip(),
        kind=tree["kind"],
        algorithm=tree.get("algorithm", ""),
        jwks=tree.get("jwks"),
        jwks_uri=tree.get("jwks_uri", ""),
        binding=tree.get("binding", ""),
        certificate_subject=tree.get("certificate_subject", ""),
        redirect_uris=tuple(tree.get("redirect_uris", ())),
        launch_url=tree.get("launch_url", ""),
        scopes=tuple((one["scope"], one["reason"].strip()) for one in tree["scopes"]),
        role=tree.get("role", ""),
        contact={name: tree["security_contact"][name].strip() for name in ("name", "email")},
    )


def _problems(tree: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(tree.keys() - _KNOWN):
        yield Problem(f"/{name}", "This part is not known.")
    client_id = tree.get("client_id")
    if not isinstance(client_id, str) or not 3 <= len(client_id) <= 64 or not set(client_id) <= _NAMES:
        yield Problem("/client_id", "A client_id has 3 to 64 small letters, digits, dots, hyphens or underscores.")
    if not _is_text(tree.get("name")):
        yield Problem("/name", "The name that people will read is missing.")
    if tree.get("kind") not in KINDS:
        yield Problem("/kind", f"The kind is one of: {', '.join(KINDS)}.")
    for name in ("algorithm", "jwks_uri", "binding", "certificate_subject", "launch_url", "role"):
        if not isinstance(tree.get(name, ""), str):
            yield Problem(f"/{name}", "This is a text.")
    contact = tree.get("security_contact")
    for name in ("name", "email"):
        if not isinstance(contact, dict) or not _is_text(contact.get(name)):
            yield Problem(f"/security_contact/{name}", "Who is called when there is an incident?")
    uris = tree.get("redirect_uris", [])
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        yield Problem("/redirect_uris", "The redirect addresses are a list of texts.")
    if not isinstance(tree.get("jwks", {}), dict):
        yield Problem("/jwks", "A JWK Set is an object.")
    yield from _scope_problems(tree.get("scopes"))


def _not_to_be_kept(tree: Mapping[str, Any]) -> Iterator[Problem]:
    client_id = tree.get("client_id")
    if isinstance(client_id, str) and _OF_AN_ACTIVATION.search(client_id):
        yield Problem("/client_id", "It ends in a dot and a number, as the names do that activations make.")
    yield from private_keys(tree.get("jwks"))
    for where in _nul(tree, ""):
        yield Problem(where, "There is a character U+0000, which cannot be kept.")


def private_keys(jwks: Any) -> Iterator[Problem]:
    """Each key of the set that should have stayed with its owner. Whatever the set is, nothing is raised."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for number, key in enumerate(keys if isinstance(keys, list) else ()):
        if isinstance(key, dict) and key.keys() & PRIVATE:
            yield Problem(
                f"/jwks/keys/{number}",
                "This is a private key, and now known to others. Make a new key pair, and send the public half.",
            )


def _nul(part: Any, where: str) -> Iterator[str]:
    """Where in the file it is; for the name of a member, the object."""
    if isinstance(part, str) and "\0" in part:
        yield where
    elif isinstance(part, list):
        for number, one in enumerate(part):
            yield from _nul(one, f"{where}/{number}")
    elif isinstance(part, dict):
        for name, one in part.items():
            if "\0" in name:
                yield where
            else:
                yield from _nul(one, f"{where}/{name.replace('~', '~0').replace('/', '~1')}")


def _scope_problems(scopes: Any) -> Iterator[Problem]:
    if not isinstance(scopes, list) or not scopes:
        yield Problem("/scopes", "At least one scope is asked for, each with its reason.")
        return
    for number, one in enumerate(scopes):
        if not isinstance(one, dict) or not isinstance(one.get("scope"), str):
            yield Problem(f"/scopes/{number}", "A scope is an object with scope and reason.")
            continue
        try:
            read_scopes(one["scope"])
        except ScopeError as error:
            yield Problem(f"/scopes/{number}/scope", str(error))
        if " " in one["scope"].strip():
            yield Problem(f"/scopes/{number}/scope", "One scope at a time: each has its own reason.")
        if not _is_text(one.get("reason")):
            yield Problem(f"/scopes/{number}/reason", "Why is this needed? People will read it.")


def _as_a_whole(tree: Mapping[str, Any], told: frozenset[str], *, private: bool) -> Iterator[Problem]:
    """What the registration itself would refuse of the parts whose form is right. Nothing is said twice of a part that
    was `told`, nor of what cannot be judged without it."""
    for part, text in problems_of(
        kind=tree.get("kind", ""),
        scope=" ".join(one["scope"] for one in tree.get("scopes", ())),
        jwks=tree.get("jwks"),
        jwks_uri=tree.get("jwks_uri", ""),
        algorithm=tree.get("algorithm", ""),
        binding=tree.get("binding", ""),
        certificate_subject=tree.get("certificate_subject", ""),
        redirect_uris=tree.get("redirect_uris", []),
        launch_url=tree.get("launch_url", ""),
        owned=bool(tree.get("role")),
        private=private,
    ):
        needed = _JUDGED_WITH.get(part, frozenset()) | {part.split("/")[0]}
        if not needed & told:
            yield Problem(f"/{part}", text)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _TEXT and "\0" not in value
