"""The literal references of a resource: found, and changed in place. http://hl7.org/fhir/R4/references.html"""

from collections.abc import Callable, Iterator
from typing import Any

from liaison.fhir.model.tree import Tree

_Trail = tuple[Any, str | int] | None


def references(tree: Tree) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Reference that has a literal `reference`, with its FHIRPath, contained resources and entries included.

    They come in document order. Elements of other types that R4 also calls `reference` (DetectedIssue.reference,
    Immunization.education.reference, Expression.reference) are not references.
    """
    root = str(tree.get("resourceType", ""))
    for trail, node in _walk(tree, None):
        yield _expression(root, trail), node


def referring(tree: Tree) -> list[dict[str, Any]]:
    """The same References without their paths, found in half the time."""
    found: list[dict[str, Any]] = []
    _gather(tree, found)
    return found


def _gather(node: dict[str, Any], found: list[dict[str, Any]]) -> None:
    for key, child in node.items():
        if type(child) is dict:
            if "reference" in child and key != "education" and _refers(child):
                found.append(child)
            _gather(child, found)
        elif type(child) is list:
            _gather_items(child, key, found)


def _gather_items(items: list[Any], key: str, found: list[dict[str, Any]]) -> None:
    for child in items:
        if type(child) is dict:
            if "reference" in child and key != "education" and _refers(child):
                found.append(child)
            _gather(child, found)
        elif type(child) is list:
            _gather_items(child, key, found)


def _refers(node: dict[str, Any]) -> bool:
    # Not DetectedIssue, a resource, and not Expression, whose language is required.
    return type(node["reference"]) is str and "resourceType" not in node and "language" not in node


def unversioned(reference: str) -> str:
    """What a relative reference is to, whatever version or part of it is named: 'Type/id'. Other texts stay as they are."""
    return reference.partition("#")[0].partition("/_history/")[0] or reference


def rewrite(tree: Tree, change: Callable[[str], str | None]) -> int:
    """Replaces each literal reference for which `change` gives a text; None leaves it. Returns how many it changed."""
    changed = 0
    for node in referring(tree):
        text = change(node["reference"])
        if text is not None and text != node["reference"]:
            node["reference"] = text
            changed += 1
    return changed


def _walk(tree: Tree, trail: _Trail) -> Iterator[tuple[_Trail, dict[str, Any]]]:
    # An explicit stack: one generator for millions of nodes costs a third of one generator a node.
    stack: list[tuple[Any, _Trail]] = [(tree, trail)]
    pop, push = stack.pop, stack.append
    while stack:
        node, trail = pop()
        if type(node) is dict:
            if "reference" in node and _refers(node) and _is_placed(trail):
                yield trail, node
            for key in reversed(node):
                child = node[key]
                if type(child) is dict or type(child) is list:
                    push((child, (trail, key)))
        else:
            for index in range(len(node) - 1, -1, -1):
                child = node[index]
                if type(child) is dict or type(child) is list:
                    push((child, (trail, index)))


def _is_placed(trail: _Trail) -> bool:
    while trail is not None and type(trail[1]) is int:
        trail = trail[0]
    return trail is not None and trail[1] != "education"


def _expression(root: str, trail: _Trail) -> str:
    parts: list[str] = []
    while trail is not None:
        trail, step = trail
        parts.append(f"[{step}]" if type(step) is int else f".{step}")
    return root + "".join(reversed(parts))
