"""A CodeSystem's concepts and their hierarchy (https://hl7.org/fhir/R4/codesystem.html#hierarchy).

Concepts are nested, or name their parents by the property `parent` or `subsumedBy`, or their children by `child`. Only
a complete code system answers: of a fragment nobody can say which concepts lie below one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from liaison.fhir.errors import BadRequest

_PARENTS: Final = frozenset({"parent", "subsumedBy"})
_URIS: Final = {
    "http://hl7.org/fhir/concept-properties#parent": "parent",
    "http://hl7.org/fhir/concept-properties#child": "child",
    "http://hl7.org/fhir/concept-properties#inactive": "inactive",
}


class CodeSystem:
    """One stored version. Immutable once made."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.url: str = tree.get("url", "")
        self.properties: dict[str, list[tuple[str, str]]] = {}
        self._content: str = tree.get("content", "")
        self._meaning: str = tree.get("hierarchyMeaning", "is-a")
        self._parents: dict[str, set[str]] = defaultdict(set)
        self._children: dict[str, set[str]] = defaultdict(set)
        self._names = {one["code"]: _URIS.get(one.get("uri", ""), one["code"]) for one in tree.get("property", ())}
        self._add(tree.get("concept", ()), "")

    def _add(self, concepts: Iterable[Mapping[str, Any]], parent: str) -> None:
        todo = [(one, parent) for one in concepts]
        while todo:
            concept, above = todo.pop()
            code = concept["code"]
            if above:
                self._relate(code, above)
            found = self.properties.setdefault(code, [("display", concept.get("display", ""))])
            for one in concept.get("property", ()):
                name, value = self._names.get(one["code"], one["code"]), _value(one)
                found.append((name, value))
                if name in _PARENTS:
                    self._relate(code, value)
                elif name == "child":
                    self._relate(value, code)
            todo += [(inner, code) for inner in concept.get("concept", ())]

    def _relate(self, code: str, parent: str) -> None:
        self._parents[code].add(parent)
        self._children[parent].add(code)

    @property
    def complete(self) -> bool:
        return self._content == "complete"

    @property
    def codes(self) -> frozenset[str]:
        """Every code. BadRequest unless the code system is complete."""
        if not self.complete:
            raise BadRequest(
                f"The code system '{self.url[:200]}' is kept as '{self._content[:20]}', not complete: which of its codes are"
                " meant cannot be told."
            )
        return frozenset(self.properties)

    def below(self, code: str) -> frozenset[str]:
        """The concept and all that it subsumes. BadRequest for an unknown code, or no is-a hierarchy."""
        return self._walk(code, self._children)

    def above(self, code: str) -> frozenset[str]:
        """The concept and all that subsume it."""
        return self._walk(code, self._parents)

    def _walk(self, code: str, edges: Mapping[str, set[str]]) -> frozenset[str]:
        if code not in self.codes:
            raise BadRequest(f"'{code[:60]}' is not a code of the code system '{self.url[:200]}'.")
        if self._meaning != "is-a":
            raise BadRequest(f"The hierarchy of '{self.url[:200]}' is '{self._meaning[:20]}', not is-a.")
        found, todo = {code}, [code]
        while todo:
            fresh = edges.get(todo.pop(), set()) - found
            found |= fresh
            todo += fresh
        return frozenset(found & self.properties.keys())

    def filtered(self, name: str, operator: str, value: str) -> frozenset[str]:
        """The codes that pass a filter of a value set. BadRequest names a filter that this cannot tell."""
        match operator:
            case "is-a" if name in ("concept", "code"):
                return self.below(value)
            case "descendent-of" if name in ("concept", "code"):
                return self.below(value) - {value}
            case "is-not-a" if name in ("concept", "code"):
                return self.codes - self.below(value)
            case "generalizes" if name in ("concept", "code"):
                return self.above(value)
            case "=":
                return self._with(name, lambda found: value in found)
            case "in" | "not-in":
                wanted = {part.strip() for part in value.split(",")}
                chosen = self._with(name, lambda found: not wanted.isdisjoint(found))
                return chosen if operator == "in" else self.codes - chosen
            case "exists" if value in ("true", "false"):
                return self._with(name, lambda found: bool(list(found)) is (value == "true"))
        raise BadRequest(
            f"The filter '{name[:40]} {operator[:20]}' on the code system '{self.url[:200]}' cannot be expanded here."
        )

    def _with(self, name: str, test: Callable[[list[str]], bool]) -> frozenset[str]:
        return frozenset(code for code in self.codes if test(list(self._values(code, name))))

    def _values(self, code: str, name: str) -> Iterator[str]:
        if name in ("concept", "code"):
            yield code
        elif name == "parent":
            yield from self._parents.get(code, ())
        elif name == "child":
            yield from self._children.get(code, ())
        else:
            yield from (value for one, value in self.properties[code] if one == self._names.get(name, name) and value)


def _value(one: Mapping[str, Any]) -> str:
    """A property's value as a filter writes it."""
    for key, value in one.items():
        if key.startswith("value") and not key.startswith("_"):
            if isinstance(value, bool):
                return "true" if value else "false"
            return str(value.get("code", "")) if isinstance(value, Mapping) else str(value)
    return ""
