"""Part of a resource, as `_summary` and `_elements` ask for it: http://hl7.org/fhir/R4/search.html#summary, #elements.

Which elements make a summary is R4's own isSummary, of the resource and of the data types within it. Mandatory elements
are always kept, and implicitRules and modifierExtension, which a reader may not overlook. What is kept, keeps its order
and its digits. A subset is tagged SUBSETTED, and a resource so tagged is not stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, elements, summary_elements
from liaison.fhir.model.reading import dump, read
from liaison.fhir.model.tree import Tree

SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
CODE: Final = "SUBSETTED"

_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_TEXT: Final = frozenset({"text"})
# What every element of a backbone type inherits; one that flags nothing more is shown whole.
_INHERITED: Final = frozenset({"modifierExtension"})

Summary = Literal["true", "text", "data"]


@dataclass(frozen=True, slots=True)
class Subset:
    """What of each resource is wanted. `names` are elements of the matches, `typed` those of every resource of a type."""

    summary: Summary | None = None
    names: frozenset[str] = frozenset()
    typed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def touches(self, type_: str, *, match: bool = True) -> bool:
        """Whether a resource of this type is cut at all. What is included beside the matches is cut only by its type."""
        return type_ in self.typed or (match and bool(self.summary or self.names))

    def of(self, body: bytes, type_: str, *, match: bool = True) -> bytes:
        """The bytes to show of a stored resource."""
        if not self.touches(type_, match=match):
            return body
        return dump(self._of(read(body), type_))

    def _of(self, tree: Tree, type_: str) -> Tree:
        match self.summary:
            case "true":
                return _summary_of(tree)
            case "data":
                return tagged({name: value for name, value in tree.items() if name not in ("text", "_text")})
            case "text":
                return tagged(_only(tree, type_, _TEXT))
            case None:
                return tagged(_only(tree, type_, self.names | self.typed.get(type_, frozenset())))


def subsetted(tree: Tree) -> str:
    """The FHIRPath of the tag that says this is not the whole resource; '' when there is none."""
    meta = tree.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    for number, tag in enumerate(tags if isinstance(tags, list) else ()):
        if isinstance(tag, dict) and (tag.get("system"), tag.get("code")) == (SYSTEM, CODE):
            return f"{tree.get('resourceType')}.meta.tag[{number}]"
    return ""


def element_named(type_: str, name: str) -> str:
    """The element that a caller names: `value`, `value[x]` and `valueQuantity` are one. '' for none of this type."""
    if name.endswith("[x]"):
        base = name.removesuffix("[x]")
        return base if base in elements(type_) and elements(type_)[base].choice else ""
    if name in elements(type_):
        return name
    return properties(type_).get(name, ("", ""))[0]


def tagged(tree: Tree) -> Tree:
    if subsetted(tree):
        return tree
    meta = tree.get("meta")
    meta = dict(meta) if isinstance(meta, dict) else {}
    tags = meta.get("tag")
    meta["tag"] = [
        *(tags if isinstance(tags, list) else ()),
        {"system": SYSTEM, "code": CODE, "display": "subsetted"},
    ]
    if "meta" in tree:
        return {name: meta if name == "meta" else value for name, value in tree.items()}
    return {"resourceType": tree["resourceType"], "meta": meta, **tree}


def untagged(tree: Tree) -> Tree:
    """The same without the tag that says that it is not whole."""
    meta = tree.get("meta")
    if not subsetted(tree) or not isinstance(meta, dict):
        return tree
    kept = [tag for tag in meta["tag"] if (tag.get("system"), tag.get("code")) != (SYSTEM, CODE)]
    return {
        **tree,
        "meta": {**{name: one for name, one in meta.items() if name != "tag"}, **({"tag": kept} if kept else {})},
    }


def _only(tree: Tree, type_: str, names: frozenset[str]) -> Tree:
    kept = names | _ALWAYS | mandatory(type_)
    return {name: value for name, value in tree.items() if _element(type_, name) in kept}


def _summary_of(tree: Tree) -> Tree:
    type_ = str(tree.get("resourceType"))
    if type_ not in RESOURCE_TYPES:
        return tree
    return tagged(_flagged(tree, type_, summary_elements(type_)))


def _flagged(tree: Tree, type_: str, flagged: frozenset[str]) -> Tree:
    wanted = flagged | mandatory(type_) | _ALWAYS
    kept: Tree = {}
    for name, value in tree.items():
        element, kind = properties(type_).get(name.removeprefix("_"), (name, ""))
        if element in wanted:
            kept[name] = value if name.startswith("_") else _within(value, kind)
    return kept


def _within(value: Any, type_: str) -> Any:
    """An element's value without what R4 leaves out of a summary of its own type; one that flags nothing is whole."""
    if isinstance(value, list):
        return [_within(one, type_) for one in value]
    if not isinstance(value, dict) or not type_ or type_ in PRIMITIVES:
        return value
    if type_ == "Resource":
        return _summary_of(value)
    flagged = summary_elements(type_)
    if not flagged - _INHERITED:
        return value
    # An element of nothing but extensions says why there is no value: without them it would be an empty object.
    return _flagged(value, type_, flagged) or value


@cache
def mandatory(type_: str) -> frozenset[str]:
    return frozenset(name for name, element in elements(type_).items() if element.minimum)


@cache
def properties(type_: str) -> Mapping[str, tuple[str, str]]:
    """By JSON property, the element's name and the type of its value."""
    found = {}
    for name, element in elements(type_).items():
        if element.choice:
            found.update({f"{name}{one.suffix}": (name, one.code) for one in element.types})
        else:
            found[name] = (name, element.types[0].code if element.types else "")
    return found


def _element(type_: str, name: str) -> str:
    return properties(type_).get(name.removeprefix("_"), (name, ""))[0]
