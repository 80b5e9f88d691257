"""What both kinds of patch have in common: their limits, what they may not touch, how an operation is named in errors."""

from collections.abc import Callable
from typing import Any, Final

from liaison.fhir.errors import BadRequest, FhirError, Issue, TooLarge, Unprocessable
from liaison.fhir.model import limits
from liaison.fhir.model.tree import Tree

MOST_OPERATIONS: Final = 1_000
MOST_COPIED: Final = 1 << 20
"""Bytes that `copy` may add: what an `add` brings was sent, while twenty copies of a copy make millions of elements."""

Patch = Callable[[Tree], Tree]
"""From the current content to the new one. The given tree is the patch's own from then on: it may be changed in place.

Unprocessable when an operation does not fit what is there, naming the operation and its path, never a value of it.
"""

_KEPT: Final = (("resourceType",), ("id",), ("meta", "versionId"), ("meta", "lastUpdated"))


def shown(text: str, most: int = 120) -> str:
    """A path of the sender's as an error may repeat it: short and printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:most])


class Operation:
    """Which operation of a patch is under way: makes errors that name it."""

    def __init__(self, number: int, kind: str, path: str, expression: str = "") -> None:
        self._named = f"Operation {number} ({shown(kind, 20)}) at '{shown(path)}'"
        self._expression = expression

    def malformed(self, text: str) -> FhirError:
        """The patch itself is not one."""
        return BadRequest(f"{self._named}: {text}", self._expression)

    def misfit(self, text: str, code: str = "processing") -> FhirError:
        """The patch does not fit the resource."""
        return Unprocessable(issues=[Issue(code, f"{self._named}: {text}", self._expression)])


class Budget:
    """What a patch may add to a resource, so that a short one cannot make a huge one of it (RFC 6902 §5: `copy`)."""

    def __init__(self, most: int = limits.BODY) -> None:
        self._most = self._left = most

    def take(self, value: Any, depth: int) -> None:
        """Counts a value that comes to stand `depth` deep. TooLarge, or BadRequest when it lies too deep."""
        waiting = [(value, depth)]
        while waiting:
            here, depth = waiting.pop()
            if depth > limits.DEPTH:
                raise BadRequest(f"The patch nests objects and arrays more than {limits.DEPTH} deep.")
            self._left -= 4
            if isinstance(here, str):
                self._left -= len(here)
            elif isinstance(here, dict):
                for name, child in here.items():
                    self._left -= len(name)
                    waiting.append((child, depth + 1))
            elif isinstance(here, list):
                waiting += [(child, depth + 1) for child in here]
            if self._left < 0:
                raise TooLarge(f"The patch makes more than {self._most} bytes of the resource.")


def marks(tree: Tree) -> list[Any]:
    """What no patch may change: who the resource is, and what the server says of its versions."""
    found: list[Any] = []
    for way in _KEPT:
        here: Any = tree
        for name in way:
            here = here.get(name) if isinstance(here, dict) else None
        found.append(here)
    return found


def require_kept(before: list[Any], tree: Any) -> Tree:
    """The tree, if it is still the same resource. Unprocessable names what was touched."""
    if not isinstance(tree, dict):
        raise Unprocessable("After the patch this is no resource.", "resourceType")
    for way, was, now in zip(_KEPT, before, marks(tree), strict=True):
        if was != now:
            raise Unprocessable(f"A patch cannot change {'.'.join(way)}.", ".".join(way))
    return tree


def prune(tree: Tree) -> None:
    """Takes out what is empty: R4 knows no empty element (json.html), and removing the last item leaves one."""
    for name in list(tree):
        if _is_empty(tree[name]):
            del tree[name]


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict):
        prune(value)
        return not value
    if isinstance(value, list):
        for child in value:
            if isinstance(child, dict):
                prune(child)
        # In a list beside primitives, null stands for the ones without extension: it holds a place.
        value[:] = [None if child == {} else child for child in value] if _has_places(value) else _full(value)
        return all(child is None for child in value)
    return False


def _has_places(value: list[Any]) -> bool:
    return any(child is None for child in value)


def _full(value: list[Any]) -> list[Any]:
    return [child for child in value if child != {} and child != []]
