"""The part of a record that an expression can keep, so that it is not evaluated on all the rest.

An interpreter of FHIRPath takes some 100 µs for each resource that `where` looks at, and a protocol asks a dozen questions of a
record of hundreds. Of `%record.entry.resource.ofType(T).where(P)` only resources of type T count, and where P cannot hold without some
text standing in the resource (a code that it compares with), only those in which it stands. What an expression gives is the same,
but that an odd resource on which P fails altogether no longer hides the others. Any other use of `%record` gets all of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from fhirpathpy.parser import parse

Tree = dict[str, Any]
_UP_TO_THE_RESOURCES: Final = ("record", "entry", "resource")
_INVOCATION: Final = "InvocationExpression"
_BY_PLACE: Final = ("$index", "$total", "$this")


class Part(NamedTuple):
    """Resources of a type; with `texts`, those alone in which one of them stands."""

    type_: str
    texts: frozenset[str] | None

    def holds(self, resource: Mapping[str, Any], texts: frozenset[str]) -> bool:
        return resource.get("resourceType") == self.type_ and (self.texts is None or not self.texts.isdisjoint(texts))


class Recorded:
    """The resources of one record, in the order in which expressions see them."""

    def __init__(self, resources: Sequence[Mapping[str, Any]]) -> None:
        self._resources = resources

    def seen_by(self, expression: str) -> Tree:
        """The Bundle that `%record` is for this expression."""
        parts = parts_of(expression)
        kept = self._resources if parts is None else [one for one, texts in self._texts if _in(parts, one, texts)]
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in kept]}

    @cached_property
    def _texts(self) -> list[tuple[Mapping[str, Any], frozenset[str]]]:
        return [(one, frozenset(_texts_in(one))) for one in self._resources]


def _in(parts: Sequence[Part], resource: Mapping[str, Any], texts: frozenset[str]) -> bool:
    return any(part.holds(resource, texts) for part in parts)


def _texts_in(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for child in node.values():
            yield from _texts_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from _texts_in(child)


@lru_cache(maxsize=1024)
def parts_of(expression: str) -> tuple[Part, ...] | None:
    """What an expression that can be parsed keeps of a record: one part for each use of `%record`; None for all of it."""
    if any(name in expression for name in _BY_PLACE):
        return None
    uses = list(_uses(parse(expression), ()))  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return None if None in uses else tuple(use for use in uses if use is not None)


def _uses(node: Tree, above: tuple[Tree, ...]) -> Iterator[Part | None]:
    """Each use of %record below a node whose ancestors are `above`, the nearest last."""
    if node.get("type") == "ExternalConstant":
        if _name(node) == _UP_TO_THE_RESOURCES[0]:
            yield _part(_chain(node, above))
        return
    for child in node.get("children", ()):
        yield from _uses(child, (*above, node))


def _chain(node: Tree, above: Sequence[Tree]) -> list[Tree]:
    """The invocations that begin with the node, from the innermost one: not those in whose arguments it stands."""
    found: list[Tree] = []
    for one in reversed(above):
        if one["children"][0] is not node or (one.get("type") != _INVOCATION and len(one["children"]) > 1):
            break
        if one.get("type") == _INVOCATION:
            found.append(one)
        node = one
    return found


def _part(chain: Sequence[Tree]) -> Part | None:
    """The part that a chain of invocations on %record keeps, from the innermost one."""
    steps = [one["children"][1] for one in chain]
    if [_member(step) for step in steps[:2]] != list(_UP_TO_THE_RESOURCES[1:]) or len(steps) < 3:
        return None
    name, given = _call(steps[2])
    if name != "ofType" or len(given) != 1 or not given[0].get("text", "").isalnum():
        return None
    called, condition = _call(steps[3]) if len(steps) > 3 else ("", [])
    return Part(given[0]["text"], _needed(condition[0]) if called == "where" and len(condition) == 1 else None)


def _needed(node: Tree) -> frozenset[str] | None:
    """Texts of which one stands in whatever the condition holds of; None where that cannot be said."""
    children = node.get("children", [])
    match node.get("type"), node.get("terminalNodeText"):
        case (("TermExpression" | "ParenthesizedTerm"), _) if len(children) == 1:
            return _needed(children[0])
        case "AndExpression", ["and"]:
            found = [one for one in map(_needed, children) if one is not None]
            return min(found, key=len, default=None)
        case "OrExpression", ["or"]:
            one, other = map(_needed, children)
            return None if one is None or other is None else one | other
        case ("MembershipExpression", ["contains"]) | ("EqualityExpression", ["="]) if _is_path(children[0]):
            return _literal(children[1])
        case ("MembershipExpression", ["in"]) | ("EqualityExpression", ["="]) if _is_path(children[1]):
            return _literal(children[0])
        case type_, _ if type_ == _INVOCATION:
            return _existing(node)
    return None


def _existing(node: Tree) -> frozenset[str] | None:
    """Of `path.where(P).exists()` and `path.exists(P)`."""
    below, last = node["children"]
    name, given = _call(last)
    if name != "exists":
        return None
    if given:
        return _needed(given[0]) if _is_path(below) else None
    if below.get("type") != _INVOCATION or not _is_path(below["children"][0]):
        return None
    name, given = _call(below["children"][1])
    return _needed(given[0]) if name == "where" and len(given) == 1 else None


def _is_path(node: Tree) -> bool:
    """Whether it only goes down from the resource: what it gives stands in it."""
    children = node.get("children", [])
    match node.get("type"):
        case type_ if type_ == _INVOCATION:
            return _is_path(children[0]) and bool(_member(children[1]))
        case "TermExpression" | "InvocationTerm":
            return len(children) == 1 and _is_path(children[0])
        case "MemberInvocation":
            return True
    return False


def _literal(node: Tree) -> frozenset[str] | None:
    while len(node.get("children", ())) == 1:
        node = node["children"][0]
    text = str(node.get("text", ""))
    return frozenset({text[1:-1]}) if node.get("type") == "StringLiteral" and "\\" not in text else None


def _member(node: Tree) -> str:
    return _name(node) if node.get("type") == "MemberInvocation" else ""


def _call(node: Tree) -> tuple[str, list[Tree]]:
    """The name of a function and what it is given; '' for no function."""
    if node.get("type") != "FunctionInvocation":
        return "", []
    name, *lists = node["children"][0]["children"]
    return str(name["text"]), lists[0]["children"] if lists else []


def _name(node: Tree) -> str:
    return str(node["children"][0]["text"])
