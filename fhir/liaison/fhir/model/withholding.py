"""A resource without what it says of others that its reader may not know of: each reference to them, each text that is an
address of one (a url, a uri, a string) with the words beside it, a copy of one in a Bundle, and every narrative, which may
say it in words. What is left is valid R4: where an element may not be missing, what
holds it goes as well, and at the root it says `masked` (data-absent-reason). Tagged SUBSETTED, and so not written back.
"""

import re
from collections.abc import Collection, Iterator
from itertools import zip_longest
from typing import Any, Final
from urllib.parse import unquote

from liaison.fhir.definitions import DIRECTORY_TYPES, PRIMITIVES, RESOURCE_TYPES
from liaison.fhir.model.references import referring, unversioned
from liaison.fhir.model.subset import mandatory, properties, tagged
from liaison.fhir.model.tree import Tree

_ABSENT: Final = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
}
_REFERENCE: Final = "Reference"
_NARRATIVE: Final = "Narrative"
_ENTRY: Final = "Bundle.entry"
_SECTION: Final = "Composition.section"
_CONTENT: Final = frozenset({"text", "entry", "section"})
"""Of these a section has one at least (cmp-1, http://hl7.org/fhir/R4/composition.html#invs)."""

_DATA: Final = "base64Binary"
_SKIPPED: Final = frozenset({"data", "div"})
"""Of megabytes, and no address."""
_ONE_THING: Final = frozenset(
    {"Attachment", "CodeableConcept", "Coding", "Expression", "Identifier", "Reference", "RelatedArtifact"}
)
"""What is not said of these is not said in part: what stands beside an address says in words, or holds, what it leads to."""
_ITEMS: Final = RESOURCE_TYPES - DIRECTORY_TYPES
_ADDRESS: Final = re.compile(r"(?<![\w-])([A-Z][A-Za-z]+)/(?=([A-Za-z0-9.-]{1,64})(?![A-Za-z0-9.-]))")
"""Of an item of a record, of whatever server and version (http://hl7.org/fhir/R4/references.html#literal)."""


def named_in(tree: Tree) -> Iterator[str]:
    """'Type/id' of everything that the resource refers to by its address, of whatever server and version, in a reference or
    as a text of its own, or that it holds as an entry."""
    yield from (_name(node["reference"]) for node in referring(tree))
    yield from _addresses_in(tree)
    if tree.get("resourceType") == "Bundle":
        for entry in tree.get("entry") or ():
            yield from _held(entry)
            if isinstance(inner := entry.get("resource"), dict) and inner.get("resourceType") == "Bundle":
                yield from named_in(inner)


def without(tree: Tree, hidden: Collection[str]) -> Tree:
    """`hidden` are 'Type/id'."""
    return tagged(_Cut(tree, hidden).root(tree))


def taken(tree: Tree, hidden: Collection[str]) -> list[Any]:
    """All that `without` leaves out, in its order: the references, addresses and narratives, and what goes along with them."""
    cut = _Cut(tree, hidden)
    cut.root(tree)
    return cut.taken


class _Cut:
    def __init__(self, tree: Tree, hidden: Collection[str]) -> None:
        self.hidden = set(hidden)
        self.hidden |= set(self._without_content(tree))
        self.taken: list[Any] = []

    def root(self, tree: Tree) -> Tree:
        type_ = str(tree["resourceType"])
        found, lost = self._parts(tree, type_)
        for name in lost:
            element, kind = properties(type_).get(name, (name, ""))
            if element in mandatory(type_):
                place = f"_{name}" if kind in PRIMITIVES else name
                found[place] = [_ABSENT] if isinstance(tree.get(name), list) else _ABSENT
        return found

    def _without_content(self, tree: Tree) -> Iterator[str]:
        """'#id' of each contained resource of which nothing is left: what refers to it goes too."""
        self.taken = []
        for one in tree.get("contained") or ():
            if isinstance(one, dict) and self._left(one, "Resource") is None:
                yield f"#{one.get('id')}"

    def _left(self, value: Any, type_: str) -> Any:
        """None for nothing."""
        if isinstance(value, list):
            kept = [left for one in value if (left := self._left(one, type_)) is not None]
            return kept or None
        before = len(self.taken)
        left = self._one(value, type_)
        if left is None:
            self.taken[before:] = [value]  # what it holds goes with it
        return left

    def _one(self, value: Any, type_: str) -> Any:
        if type_ == _NARRATIVE:
            return None
        if not isinstance(value, dict) or not type_ or type_ in PRIMITIVES:
            return None if type_ != _DATA and self._is_address(value) else value
        if type_ == _REFERENCE and self._is_to(value):
            return None
        if type_ == _ENTRY and not self.hidden.isdisjoint(_held(value)):
            return None
        if type_ == "Resource":
            type_ = str(value.get("resourceType"))
            if type_ not in RESOURCE_TYPES:
                return {name: one for name, one in value.items() if name != "text"}
        return self._element(value, type_)

    def _element(self, node: dict[str, Any], type_: str) -> dict[str, Any] | None:
        found, lost = self._parts(node, type_)
        for name in lost:
            element = properties(type_).get(name, (name, ""))[0]
            if element in mandatory(type_) or type_ == "Extension":  # an extension is its value
                return None
            if type_ in _ONE_THING and name != "extension":
                return None
        if type_ == _SECTION and found.keys().isdisjoint(_CONTENT):
            return None
        return found or None

    def _parts(self, node: dict[str, Any], type_: str) -> tuple[dict[str, Any], list[str]]:
        """What is left in it, and the properties of which nothing is."""
        found: dict[str, Any] = {}
        lost = []
        for name in dict.fromkeys(one.removeprefix("_") for one in node):
            kind = properties(type_).get(name, (name, ""))[1]
            if f"_{name}" in node:
                left = self._primitive(node, name, kind)
            else:
                left = {name: self._left(node[name], kind)}
            kept = {place: value for place, value in left.items() if value is not None}
            found |= kept
            if not kept:
                lost.append(name)
        return found, lost

    def _primitive(self, node: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
        """A value and what is said beside it, of several each at its place: http://hl7.org/fhir/R4/json.html#primitive"""
        values, besides = node.get(name), node[f"_{name}"]
        if not isinstance(besides, list):
            left = self._pair(values, besides, kind)
            return dict(zip((name, f"_{name}"), left, strict=True))
        several = values if isinstance(values, list) else []
        pairs = [self._pair(value, beside, kind) for value, beside in zip_longest(several, besides)]
        kept = [pair for pair in pairs if pair != (None, None)]
        return {
            place: list(some) if any(one is not None for one in some) else None
            for place, some in zip((name, f"_{name}"), zip(*kept, strict=True), strict=False)
        }

    def _pair(self, value: Any, beside: Any, kind: str) -> tuple[Any, Any]:
        before = len(self.taken)
        left = None if value is None else self._left(value, kind)
        if value is not None and left is None:
            self.taken[before:] = [(value, beside)]  # and what is said of it
            return None, None
        return left, None if beside is None else self._left(beside, "Element")

    def _is_to(self, node: dict[str, Any]) -> bool:
        return isinstance(node.get("reference"), str) and _name(node["reference"]) in self.hidden

    def _is_address(self, value: Any) -> bool:
        return isinstance(value, str) and (value in self.hidden or not self.hidden.isdisjoint(_addresses(value)))


def _addresses_in(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield from _addresses(node)
    elif isinstance(node, list):
        for one in node:
            yield from _addresses_in(one)
    elif isinstance(node, dict):
        for name, one in node.items():
            if name not in _SKIPPED:
                yield from _addresses_in(one)


def _addresses(text: str) -> list[str]:
    """Of a text that is an address, and not words among which one stands."""
    plain = unquote(text) if "%" in text else text
    if "/" not in plain or len(text.split()) > 1:
        return []
    return [f"{type_}/{id_}" for type_, id_ in _ADDRESS.findall(plain) if type_ in _ITEMS]


def _held(entry: dict[str, Any]) -> Iterator[str]:
    """What an entry of a Bundle is, by its address and by its own id."""
    if isinstance(url := entry.get("fullUrl"), str):
        yield _name(url)
    inner = entry.get("resource")
    if isinstance(inner, dict) and "id" in inner:
        yield f"{inner.get('resourceType')}/{inner['id']}"


def _name(reference: str) -> str:
    return "/".join(unversioned(reference).split("/")[-2:])
