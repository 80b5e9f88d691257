"""What stands in a resource, at whatever depth: the codings, and the resources that it contains (`contained`), gathers (the
entries of a Bundle) or is given (the parameters of Parameters). The right to a wrapper is not the right to its content.
Its sentences: access.prose."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from liaison.auth.access.systems import called
from liaison.fhir.definitions import DIRECTORY_TYPES

NO_CONTENT: Final = DIRECTORY_TYPES | {"Patient"}
"""Who, where and by what definition: what holds one of these is not more closed by its type."""


_CODELESS: Final = frozenset({
    "id", "extension", "coding", "text", "_text", "system", "_system", "version", "display", "_display", "userSelected",
})  # fmt: skip
"""The elements of a CodeableConcept, and of a Coding without its code. A Reference has a display too, and more (access.prose)."""


class Held(NamedTuple):
    codings: set[tuple[str, str]]
    """(system, code) of each, of the resource and of all that it holds; '' for a system that is not said."""
    texts: set[str]
    """What its codes are called, and the texts that stand in the place of one."""
    resources: list[dict[str, Any]]
    names: Mapping[str, list[dict[str, Any]]]
    """What stands in it by each reference that may mean it there: '#id' of what is contained, 'Type/id' and the fullUrl of an entry.
    Several of one name stand in different entries."""


def held_in(tree: Any) -> Held:
    """One walk, asked of every write. A Coding is known by its system and code, wherever it stands: in a CodeableConcept, a
    Quantity, an extension, a tag."""
    codings: set[tuple[str, str]] = set()
    texts: set[str] = set()
    resources: list[dict[str, Any]] = []
    names: dict[str, list[dict[str, Any]]] = {}
    notes: set[int] = set()  # an Annotation that is a text alone looks like a concept that is one
    waiting = [tree]
    for node in waiting:  # which grows meanwhile
        if type(node) is dict and type(annotated := node.get("note")) is list:
            notes.update(map(id, annotated))
        for child in node.values() if type(node) is dict else node:
            if type(child) is dict or type(child) is list:
                waiting.append(child)
        if type(node) is list or node is tree:
            continue
        if "code" in node and type(code := node["code"]) is str:
            system = node.get("system")
            codings.add((called(system) if type(system) is str else "", code))
            if type(told := node.get("display")) is str:
                texts.add(told)
        elif (
            type(told := node.get("text", node.get("display"))) is str
            and node.keys() <= _CODELESS
            and id(node) not in notes
        ):
            texts.add(told)
        if "resourceType" in node and type(type_ := node["resourceType"]) is str:
            resources.append(node)
            for name in (f"#{node.get('id')}", f"{type_}/{node.get('id')}"):
                names.setdefault(name, []).append(node)
        elif type(url := node.get("fullUrl")) is str and type(entry := node.get("resource")) is dict:
            names.setdefault(url, []).append(entry)
    return Held(codings, texts, resources, names)
