"""Syntax tree to branches: each a way down through elements whose types are known before any resource is seen.

R4's structures say which elements are choices, so `value as Quantity` becomes the property `valueQuantity`, and what
each branch ends in has one type. Evaluating is then a walk through dicts: no types are looked up at run time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from liaison.fhir.definitions import RESOURCE_TYPES, elements
from liaison.fhir.model.fhirpath.parse import Binary, Call, Index, Literal, Name, Node, ParseError, Variable, parse
from liaison.fhir.model.fhirpath.resolve import leads_to

Tree = dict[str, Any]
Step = str | int | Callable[[Any, Tree], Any]
"""A property to enter, an item to take of all found so far, or a function of one item and the resource: it gives the
item or what replaces it, or None to drop it."""

_ABSTRACT = {"Resource", "DomainResource"}
# Subtypes among the types that occur in choices: `as Quantity` takes them too.
_BASES = {"SimpleQuantity": "Quantity", "Age": "Quantity", "Count": "Quantity", "Distance": "Quantity"}
_BASES |= {"Duration": "Quantity"}
# Observation's code-value-date says as(DateTime); the data type is dateTime.
_MISSPELT = {"DateTime": "dateTime"}


@dataclass(frozen=True, slots=True)
class Branch:
    """`steps` from the starting element (the resource itself when `from_root`) to items of the FHIR type `type`.

    `binding` is the value set to which the last element entered is bound as required, else ''.
    """

    steps: tuple[Step, ...]
    type: str
    from_root: bool = False
    binding: str = ""


def compile_expression(text: str, type_: str, context: str | None = None) -> tuple[Branch, ...]:
    """The branches of an expression for resources of `type_`, in the order of the expression.

    Alternatives for other resource types give none. A relative expression (a composite's component) starts at the
    type `context`. ParseError for what this subset lacks, or an element that the type does not have.
    """
    return tuple(_Compiler(type_, context or type_).branches(parse(text)))


def evaluate(branch: Branch, item: Any, root: Tree) -> list[Any]:
    """What a branch finds from `item` in the resource `root`: raw JSON values, never null, lists unfolded."""
    found = [root if branch.from_root else item]
    for step in branch.steps:
        if type(step) is str:
            inner: list[Any] = []
            for node in found:
                child = node.get(step) if type(node) is dict else None
                if type(child) is list:
                    inner += [entry for entry in child if entry is not None]
                elif child is not None:
                    inner.append(child)
            found = inner
        elif type(step) is int:
            found = found[step : step + 1]
        else:
            found = [kept for node in found if (kept := step(node, root)) is not None]  # type: ignore[operator]  # neither str nor int
        if not found:
            break
    return found


class _Compiler:
    def __init__(self, type_: str, context: str) -> None:
        self.type = type_
        self.here = Branch((), context)

    def branches(self, node: Node) -> Iterator[Branch]:
        match node:
            case Binary("|", left, right):
                yield from self.branches(left)
                yield from self.branches(right)
            case Binary("as", of, Name(None, name)) | Call(of, "as" | "ofType", (Name(None, name),)) if of is not None:
                wanted = _MISSPELT.get(name, name)
                yield from (b for b in self.branches(of) if wanted in (b.type, _BASES.get(b.type)))
            case Binary("and" | "or" | "=" | "!=" | "is") | Call(_, "exists" | "not" | "empty"):
                if self.concerns(node):
                    yield Branch((self.condition(node),), "boolean")
            case Variable("resource"):
                yield Branch((), self.type, from_root=True)
            case Variable("this"):
                yield self.here
            case Index(of, index):
                yield from (replace(b, steps=(*b.steps, index)) for b in self.branches(of))
            case Call(of, "first", ()) if of is not None:
                yield from self.branches(Index(of, 0))
            case Call(of, "where", (condition,)) if of is not None:
                for branch in self.branches(of):
                    test = _keep(_Compiler(self.type, branch.type).condition(condition))
                    yield replace(branch, steps=(*branch.steps, test))
            case Call(of, "extension", (Literal(str() as url),)) if of is not None:
                test = _keep(lambda item, _: type(item) is dict and item.get("url") == url)
                for branch in self.branches(of):
                    if branch.type[:1].islower():  # it lies beside the value, under _name, where no path leads
                        raise ParseError(f"the extension of a {branch.type} cannot be used here")
                    yield replace(branch, steps=(*branch.steps, "extension", test), type="Extension")
            case Name(None, name) if name in _ABSTRACT or name in RESOURCE_TYPES:
                if self.here.type == self.type and (name == self.type or name in _ABSTRACT):
                    yield self.here
            case Name(None, name):
                yield from self.child(self.here, name)
            case Name(of, name) if of is not None:
                for branch in self.branches(of):
                    yield from self.child(branch, name)
            case _:
                raise ParseError(f"{_shown(node)} cannot be used here")

    def child(self, branch: Branch, name: str) -> Iterator[Branch]:
        element = elements(branch.type).get(name)
        if element is None:
            raise ParseError(f"{branch.type} has no element {name}")
        for type_ in element.types:
            key = name + type_.suffix if element.choice else name
            yield replace(branch, steps=(*branch.steps, key), type=type_.code, binding=element.binding)

    def concerns(self, node: Node) -> bool:
        """Whether any path of a condition starts at this type: conditions of other types must not become `false`."""
        match node:
            case Name(None, name) if name in RESOURCE_TYPES:
                return name == self.type
            case Name(of, _) | Call(of, _, _) | Index(of, _) if of is not None:
                return self.concerns(of)
            case Binary(_, left, right):
                return self.concerns(left) and self.concerns(right)
            case _:
                return True

    def condition(self, node: Node) -> Callable[[Any, Tree], bool]:
        """A condition as a function of the item it is asked of. An empty operand makes a comparison false."""
        match node:
            case Binary("and", left, right):
                first, second = self.condition(left), self.condition(right)
                return lambda item, root: first(item, root) and second(item, root)
            case Binary("or", left, right):
                one, other = self.condition(left), self.condition(right)
                return lambda item, root: one(item, root) or other(item, root)
            case Binary("is", Call(None, "resolve", ()), Name(None, type_)):
                return lambda item, root: leads_to(item, type_, root)
            case Binary("=" | "!=" as operator, left, Literal(value)):
                equal = operator == "="
                paths = tuple(self.branches(left))

                def compare(item: Any, root: Tree) -> bool:
                    found = [hit for path in paths for hit in evaluate(path, item, root)]
                    return len(found) == 1 and (type(found[0]) is type(value) and found[0] == value) is equal

                return compare
            case Call(of, "exists" | "empty" as name, ()) if of is not None:
                ways = tuple(self.branches(of))
                return lambda item, root: any(evaluate(way, item, root) for way in ways) is (name == "exists")
            case Call(of, "not", ()) if of is not None:
                inner = self.condition(of)
                return lambda item, root: not inner(item, root)
            case _:
                raise ParseError(f"{_shown(node)} cannot be used in a condition")


def _shown(node: Node) -> str:
    match node:
        case Call(_, name, _):
            return f"{name}()"
        case Binary(operator, _, _):
            return f"'{operator}'"
        case Name(_, name):
            return name
        case Variable(name):
            return f"%{name}"
        case Index(_, index):
            return f"[{index}]"
        case Literal(value):
            return repr(value)


def _keep(test: Callable[[Any, Tree], bool]) -> Step:
    return lambda item, root: item if test(item, root) else None
