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


def unversioned(reference: str) -> str:
    """What a relative reference is to, whatever version or part of it is named: 'Type/id'. Other texts stay as they are."""
    return reference.partition("#")[0].partition("/_history/")[0] or reference


def rewrite(tree: Tree, change: Callable[[str], str | None]) -> int:
    """Replaces each literal reference for which `change` gives a text; None leaves it. Returns how many it changed."""
    changed = 0
    for _, node in _walk(tree, None):
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
            if type(node.get("reference")) is str and _is_reference(node, trail):
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


def _is_reference(node: dict[str, Any], trail: _Trail) -> bool:
    if "resourceType" in node or "language" in node:  # DetectedIssue; an Expression, whose language is required
        return False
    while trail is not None and type(trail[1]) is int:
        trail = trail[0]
    return trail is not None and trail[1] != "education"


def _expression(root: str, trail: _Trail) -> str:
    parts: list[str] = []
    while trail is not None:
        trail, step = trail
        parts.append(f"[{step}]" if type(step) is int else f".{step}")
    return root + "".join(reversed(parts))
