"""Where a resource may name an entry of its Bundle, but in a Reference: https://hl7.org/fhir/R4/http.html#trules.

Elements of type uri, url, oid and uuid, and `<a href>` in a narrative. Canonicals are not replaced (R4), and neither is
what names rather than leads somewhere when it is an http address: the `url` of a definition or an extension, the `system`
of a code or an identifier. Those stay the same wherever the resource goes.
"""

import html
import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.definitions.structures import elements
from liaison.fhir.store.contract import Tree

_KINDS: Final = frozenset({"uri", "url", "oid", "uuid"})
_HREF: Final = re.compile(r"""(\shref\s*=\s*)("[^"]*"|'[^']*')""")
_LONGEST: Final = 2048
"""Characters of an address; longer texts are not looked at."""

_Trail = tuple["_Trail", str | int] | None


class Link(NamedTuple):
    """`here[key]` holds it; `text` is what it says, without a fragment. `within`: it is one of the addresses of a
    narrative."""

    here: Any
    key: str | int
    text: str
    within: bool = False


class Urns:
    """Every urn: what may name an entry of any Bundle."""

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and text.startswith("urn:")


def links(tree: Tree, named: Container[str]) -> Iterator[Link]:
    """The links of a resource whose text is in `named`."""
    stack: list[tuple[Any, _Trail]] = [(tree, None)]
    while stack:
        node, trail = stack.pop()
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, dict | list):
                stack.append((value, (trail, key)))
            elif isinstance(value, str) and key != "reference":
                if key == "div":
                    yield from (Link(node, key, text, True) for text in _addresses(value) if text in named)
                elif (
                    len(value) <= _LONGEST
                    and (text := value.partition("#")[0]) in named
                    and _leads(tree, (trail, key), text)
                ):
                    yield Link(node, key, text)


def relinked(value: str, link: Link, to: str) -> str:
    """The value of a link's place, leading to `to` instead; a fragment stays."""
    if not link.within:
        return to + value.removeprefix(link.text)

    def changed(found: re.Match[str]) -> str:
        text, mark, rest = html.unescape(found[2][1:-1]).partition("#")
        return f'{found[1]}"{html.escape(to + mark + rest)}"' if text == link.text else found[0]

    return _HREF.sub(changed, value)


def _addresses(div: str) -> list[str]:
    """Where a narrative leads, each once."""
    if "href" not in div:
        return []
    found = (html.unescape(match[2][1:-1]).partition("#")[0] for match in _HREF.finditer(div))
    return list(dict.fromkeys(found))


def _leads(tree: Tree, trail: _Trail, text: str) -> bool:
    """Whether the element at the end of the trail is of a type that leads somewhere."""
    steps: list[str | int] = []
    while trail is not None:
        trail, step = trail
        steps.append(step)
    node: Any = tree
    owner = kind = ""
    for step in reversed(steps):
        if isinstance(node, dict):
            owner = str(node.get("resourceType", kind))
            kind = _type_of(owner, str(step))
        node = node[step]
    name = str(next((step for step in steps if isinstance(step, str)), ""))
    return kind in _KINDS and not (text.startswith("http") and _is_name(owner, name))


def _type_of(owner: str, name: str) -> str:
    """The type of an element, '' for what R4 does not know."""
    if name.startswith("_"):
        return "Element"
    try:
        known: Mapping[str, Any] = elements(owner)
    except KeyError:
        return ""
    if (element := known.get(name)) is not None and not element.choice:
        return str(element.types[0].code)
    for element in known.values():
        if element.choice and name.startswith(element.name):
            for type_ in element.types:
                if name == element.name + type_.suffix:
                    return str(type_.code)
    return ""


def _is_name(owner: str, name: str) -> bool:
    return name == "system" or (name == "url" and (owner == "Extension" or owner in RESOURCE_TYPES))
