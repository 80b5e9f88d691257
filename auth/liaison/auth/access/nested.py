"""What stands in a resource, at whatever depth: the codings, and the resources that it contains (`contained`), gathers (the
entries of a Bundle) or is given (the parameters of Parameters). The right to a wrapper is not the right to its content."""

from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import DIRECTORY_TYPES

NO_CONTENT: Final = DIRECTORY_TYPES | {"Patient"}
"""Who, where and by what definition: what holds one of these is not more closed by its type."""


class Held(NamedTuple):
    codings: set[tuple[str, str]]
    """(system, code) of each, of the resource and of all that it holds."""
    resources: list[dict[str, Any]]


def held_in(tree: Any) -> Held:
    """One walk, asked of every write. A Coding is known by its system and code, wherever it stands: in a CodeableConcept, a
    Quantity, an extension, a tag."""
    codings, resources = set(), []
    waiting = list(tree.values())
    for node in waiting:  # which grows meanwhile
        if isinstance(node, dict):
            code, system = node.get("code"), node.get("system")
            if isinstance(code, str) and isinstance(system, str):
                codings.add((system, code))
            if isinstance(node.get("resourceType"), str):
                resources.append(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return Held(codings, resources)
