"""Whether one can search by a SearchParameter that somebody wants to add: everything that stands against it, at once.

http://hl7.org/fhir/R4/searchparameter.html. It may not take the code of a parameter of R4 that its types have: software
that knows R4 would read another meaning into its answers. Drafts and retired ones are content like any other.
"""

import re
from collections.abc import Iterator
from typing import Final

from liaison.fhir.definitions import (
    RESOURCE_TYPES,
    SearchParameter,
    official_parameters,
    ownership,
    parameter_by_id,
)
from liaison.fhir.definitions.added import OFFICIAL, definition_of, is_active
from liaison.fhir.errors import Issue, Unprocessable
from liaison.fhir.model.extract import convert_of
from liaison.fhir.model.fhirpath import Branch, ParseError, compile_expression
from liaison.fhir.search.kinds import TYPES
from liaison.fhir.store.contract import Tree

LONGEST: Final = 4_000
MOST_COMPONENTS: Final = 5
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_ABSTRACT: Final = {"Resource", "DomainResource"}
_KINDS: Final = frozenset(TYPES) - {"special"}
_AT: Final = "SearchParameter"


def require_usable(tree: Tree) -> None:
    """Raises Unprocessable with every reason why an active SearchParameter, valid as a resource, cannot be used."""
    if found := problems(tree):
        raise Unprocessable(issues=found)


def problems(tree: Tree) -> list[Issue]:
    """The same as a list; none for one that is not active."""
    return list(_problems(tree)) if is_active(tree) else []


def _problems(tree: Tree) -> Iterator[Issue]:
    code, kind, bases = tree["code"], tree["type"], tree["base"]
    if _CODE.fullmatch(code) is None:
        yield _issue("code", "A code is made of letters, digits, - and _, 64 at most, and starts with a letter.")
    if kind not in _KINDS:
        yield _issue("type", f"Parameters of type '{kind}' cannot be added; these can: {', '.join(sorted(_KINDS))}.")
    if tree.get("xpathUsage") not in (None, "normal"):
        yield _issue("xpathUsage", "Only the values themselves are compared: xpathUsage can be normal.")
    if kind == "reference" and not tree.get("target"):
        yield _issue("target", "A reference parameter says which types it leads to.")
    types = [one for one in bases if one not in _ABSTRACT]
    for number, base in enumerate(bases):
        if base in _ABSTRACT:
            types += [one for one in sorted(RESOURCE_TYPES) if ownership(one).rule != "never"]
        elif base not in RESOURCE_TYPES or ownership(base).rule == "never":
            types.remove(base)
            yield _issue(f"base[{number}]", f"{base} is not stored here.")
    for base in dict.fromkeys(types):
        if code in official_parameters(base):
            yield _issue("code", f"'{code}' is a search parameter of R4 for {base}. Choose another code.")
            break
    if kind in _KINDS:
        yield from _of_expression(tree, list(dict.fromkeys(types)))


def _of_expression(tree: Tree, types: list[str]) -> Iterator[Issue]:
    expression = tree.get("expression", "")
    if not expression:
        yield _issue("expression", "It has no expression: nothing says which elements it is about.")
        return
    definition = definition_of(tree, 0)
    if definition.type == "composite":
        wrong = list(_of_components(tree, definition))
        yield from wrong
        if wrong:
            return
    for base in types:
        try:
            branches = _branches(expression, base)
            if definition.type == "composite":
                _require_parts(definition, branches, base)
            else:
                _require_values(definition.type, branches, base)
        except ParseError as error:
            yield _issue("expression", _said(error))
            return


def _branches(expression: str, base: str, context: str | None = None) -> tuple[Branch, ...]:
    """ParseError for whatever cannot be made of it."""
    if len(expression) > LONGEST:
        raise ParseError(f"it is longer than {LONGEST} characters")
    try:
        found = compile_expression(expression, base, context)
    except RecursionError:
        raise ParseError("it is nested too deep") from None
    except KeyError as error:
        raise ParseError(f"{error.args[0]} has no elements that could be looked at") from None
    if not found:
        raise ParseError(f"it says nothing about {context or base}")
    return found


def _require_values(kind: str, branches: tuple[Branch, ...], base: str) -> None:
    """A choice may have types that say nothing to the parameter; one at least has to."""
    if not any(convert_of(kind, branch.type) for branch in branches):
        found = ", ".join(sorted({branch.type for branch in branches})[:5])
        raise ParseError(f"for {base} it gives {found}, of which no value of type '{kind}' can be made")


def _require_parts(definition: SearchParameter, branches: tuple[Branch, ...], base: str) -> None:
    for component in definition.components:
        kind = parameter_by_id(component.parameter).type
        for branch in branches:
            _require_values(kind, _branches(component.expression, base, branch.type), branch.type)


def _of_components(tree: Tree, definition: SearchParameter) -> Iterator[Issue]:
    if not 2 <= len(definition.components) <= MOST_COMPONENTS:
        yield _issue("component", f"A composite has from two to {MOST_COMPONENTS} components.")
    for number, one in enumerate(tree.get("component", ())):
        try:
            if not one["definition"].startswith(OFFICIAL):
                raise KeyError
            if parameter_by_id(definition.components[number].parameter).type not in _KINDS - {"composite"}:
                raise KeyError
        except KeyError:
            yield _issue(
                f"component[{number}].definition",
                f"A component is typed by a simple search parameter of R4, as in {OFFICIAL}clinical-code.",
            )


def _said(error: ParseError) -> str:
    # The parser quotes the expression, which is the sender's own; a very long one says nothing more.
    return f"This expression cannot be used: {str(error)[:300]}. FHIRPath as R4's own search parameters use it can."


def _issue(element: str, text: str) -> Issue:
    return Issue("business-rule", text, f"{_AT}.{element}")
