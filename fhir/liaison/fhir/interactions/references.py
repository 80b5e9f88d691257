"""What a Reference names: FHIR R4 references.html#literal, bundle.html#references. Nothing is ever fetched."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.store.contract import Tree

Kind = Literal["contained", "local", "conditional", "urn", "elsewhere"]

_LOCAL: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?(?:#.*)?")
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_LINK_KEYS: Final = frozenset({"url", "valueUri", "valueUrl", "valueUuid", "valueOid", "uri"})


class Target(NamedTuple):
    """`name` is the id of a local one, the query of a conditional one, the text itself otherwise. `tail` is kept."""

    kind: Kind
    type_: str
    name: str
    tail: str = ""


def target(text: str, base_url: str) -> Target | None:
    """What the text names; None when it is no reference at all. An absolute URL below our own base is local."""
    if text.startswith("#"):
        return Target("contained", "", text)
    own = text.removeprefix(f"{base_url}/")
    local = _LOCAL.fullmatch(own)
    if local is not None and local[1] in RESOURCE_TYPES:
        return Target("local", local[1], local[2], own[len(local[1]) + 1 + len(local[2]) :])
    conditional = _CONDITIONAL.fullmatch(own)
    if conditional is not None and conditional[1] in RESOURCE_TYPES:
        return Target("conditional", conditional[1], conditional[2])
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return Target("urn", "", text)
    if _SCHEME.match(text) and own is text:
        return Target("elsewhere", "", text)
    return None


def links(tree: Tree) -> Iterator[tuple[dict[str, object], str]]:
    """Each place of a resource, but Reference.reference, whose urn: value may name an entry of its Bundle.

    bundle.html#transaction: uri, url, oid and uuid elements are replaced too (Attachment.url, for one).
    """
    waiting: list[object] = [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            for key, value in here.items():
                if isinstance(value, str):
                    if key in _LINK_KEYS and value.startswith("urn:"):
                        yield here, key
                elif isinstance(value, dict | list):
                    waiting.append(value)
        elif isinstance(here, list):
            waiting.extend(here)
