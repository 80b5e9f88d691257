"""What a filter means: each test as a criterion of its parameter's type (http://hl7.org/fhir/R4/search_filter.html).

An operator that a prefix or a modifier of a search says too is that criterion, decided where it is; of the others, each
says of one value of the parameter whether it holds. A test holds when one value does, `ne` too; `pr` asks whether there
is any. Codes and URIs are compared to the letter, strings without case and accents, as in a search.

A path through other resources is a chain (liaison.fhir.search.chain): `subject.name co x` holds when a resource that
`subject` leads to holds it. What stands in brackets is asked of that same resource: `subject[gender eq male].name co x`.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest, Issue
from liaison.fhir.search import date, reference
from liaison.fhir.search import filter as grammar
from liaison.fhir.search.chain import MOST_LINKS, MOST_WAYS, Way, chained_to, ends, fitting, link_of, require_chain
from liaison.fhir.search.conditions import Bound
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.expression import Tested, joined
from liaison.fhir.search.folding import folded

Read = Callable[[str, str, Context], Criterion]
"""liaison.fhir.search.parse.criterion."""

_PLACED: Final = "At character"
_PREFIXES: Final = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"})
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": lambda one, other: bool(one > other),
    "lt": lambda one, other: bool(one < other),
    "ge": lambda one, other: bool(one >= other),
    "le": lambda one, other: bool(one <= other),
}
_TEXT: Final[dict[str, Callable[[str, str], bool]]] = {
    "co": lambda text, part: part in text,
    "sw": str.startswith,
    "ew": str.endswith,
}
_TERMINOLOGY: Final = {"in": "in", "ni": "not-in", "ss": "below", "sb": "above"}
_NAMESPACES: Final = {
    "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "snomed": "http://snomed.info/sct",
    "ucum": "http://unitsofmeasure.org",
}
"""What R4 lets a filter write in the place of a system ("predefined … in place of their associated full namespace")."""
_NAMESPACE: Final = re.compile(rf"(?:^|(?<=[$|]))(?<!\\[$|])({'|'.join(_NAMESPACES)})(?=\|)", re.IGNORECASE)


def filtered(text: str, context: Context, read: Read) -> Criterion:
    """The criterion that `_filter` is. BadRequest names the character, the parameter or the operator."""
    return _meaning(grammar.read(text), context, read)


def _meaning(node: grammar.Node, context: Context, read: Read, links: int = 0) -> Criterion:
    if isinstance(node, grammar.Both):
        return joined(node.way, [_meaning(part, context, read, links) for part in node.of])
    try:
        return _chain(node, context, read, links) if len(node.path) > 1 else _test(node, context, read)
    except BadRequest as error:
        raise BadRequest(
            issues=[
                issue
                if issue.diagnostics.startswith(_PLACED)  # of what stands in brackets, or at the end of a path
                else Issue(issue.code, f"{_PLACED} {node.at} of the filter: {issue.diagnostics}")
                for issue in error.issues
            ]
        ) from None


def _chain(node: grammar.Test, context: Context, read: Read, links: int) -> Criterion:
    """The criterion of a path of several steps: what is asked of the resources that its first one leads to."""
    if links == MOST_LINKS:
        raise BadRequest(f"A path has at most {MOST_LINKS} links.")
    step, rest = node.path[0], replace(node, path=node.path[1:])
    parameter, targets = link_of(f"{step.name}:{step.type_}" if step.type_ else step.name, context.type_, context)
    then = rest.path[0].name
    require_chain(parameter, then)
    ways: list[Way] = []
    problems: list[BadRequest] = []
    for target in fitting(then, targets):
        there = context.of(target)
        try:
            asked = _meaning(rest, there, read, links + 1)
            if step.where is not None:
                asked = joined("and", [_meaning(step.where, there, read, links + 1), asked])
            ways.append(Way(target, asked))
        except BadRequest as error:
            problems.append(error)
    if not ways:
        raise (
            problems[0]
            if problems
            else BadRequest(f"No type that '{step.name}' may lead to has the parameter '{then}'.")
        )
    made = chained_to("_filter", parameter, ways)
    if ends(made) > MOST_WAYS:
        raise BadRequest(
            f"{ends(made)} types would have to be looked at, and {MOST_WAYS} may be. Name the type a link leads to, as in "
            "subject:Patient.name."
        )
    return made


def _test(node: grammar.Test, context: Context, read: Read) -> Criterion:
    if node.path[0].type_:
        return _of_typed(node, context, read)
    name, operator, value = node.path[0].name, node.operator, node.value
    present = read(f"{name}:missing", "false", context) if name not in ("_text", "_content") else None
    if operator == "pr":
        if value not in ("true", "false"):
            raise BadRequest("The value of 'pr' is true or false.")
        return read(f"{name}:missing", "false" if value == "true" else "true", context)
    if present is None:
        if operator != "co":
            raise _refused(operator, name, ("co",))
        return read(name, _escaped(value), context)
    parameter = present.parameter
    if name == "_id":
        return _of_id(name, operator, value, context, read)
    match parameter.type:
        case "date":
            return _of_date(parameter, operator, value, context, read)
        case "number" | "quantity":
            if operator not in _PREFIXES:
                raise _refused(operator, name, sorted(_PREFIXES))
            return read(name, f"{operator}{_full(value)}", context)
        case "string":
            return _of_string(parameter, operator, value, context, read)
        case "token":
            return _of_token(parameter, operator, _full(value), context, read)
        case "reference":
            return _of_reference(parameter, operator, value, context, read)
        case "uri":
            return _of_uri(parameter, operator, value, context, read)
        case _:
            if operator != "eq":
                raise _refused(operator, name, ("eq", "pr"))
            return read(name, _one(_full(value)), context)


def _of_typed(node: grammar.Test, context: Context, read: Read) -> Criterion:
    """A reference to one type: `subject:Patient eq x`."""
    step = node.path[0]
    if node.operator not in ("eq", "re"):
        raise _refused(node.operator, f"{step.name}:{step.type_}", ("eq", "re"))
    return read(f"{step.name}:{step.type_}", _escaped(node.value), context)


def _of_id(name: str, operator: str, value: str, context: Context, read: Read) -> Criterion:
    if operator not in ("eq", "ne"):
        raise _refused(operator, name, ("eq", "ne", "pr"))
    return read(name if operator == "eq" else f"{name}:not", _escaped(value), context)


def _of_date(parameter: SearchParameter, operator: str, value: str, context: Context, read: Read) -> Criterion:
    if operator in _PREFIXES:
        return read(parameter.code, f"{operator}{value}", context)
    if operator not in ("po", "co"):
        raise _refused(operator, parameter.code, [*sorted(_PREFIXES), "po", "co"])
    _, low, high = date.span(f"eq{value}")
    if operator == "co":
        bounds = (Bound("low", "<=", low), Bound("high", ">=", high))
    else:
        bounds = (Bound("low", "<", high), Bound("high", ">", low))
    return Criterion(parameter.code, "", parameter, (date.Limits(bounds),))


def _of_string(parameter: SearchParameter, operator: str, value: str, context: Context, read: Read) -> Criterion:
    wanted = folded(value)
    if not wanted:
        raise BadRequest("A text to look for holds at least one letter or digit.")
    match operator:
        case "co":
            return read(f"{parameter.code}:contains", _escaped(value), context)
        case "sw":
            return _tested(parameter, wanted, lambda one: folded(one.value).startswith(wanted))
        case "eq":
            return _tested(parameter, wanted, lambda one: folded(one.value) == wanted)
        case "ne":
            return _tested(parameter, wanted, lambda one: folded(one.value) != wanted)
        case "ew":
            return _tested(parameter, wanted, lambda one: folded(one.value).endswith(wanted))
        case _ if operator in _ORDER:
            compare = _ORDER[operator]
            return _tested(parameter, wanted, lambda one: compare(folded(one.value), wanted))
    raise _refused(operator, parameter.code, ("eq", "ne", "co", "sw", "ew", *_ORDER, "pr"))


def _of_token(parameter: SearchParameter, operator: str, value: str, context: Context, read: Read) -> Criterion:
    match operator:
        case "eq":
            return read(parameter.code, _one(value), context)
        case "ne":
            equal = read(parameter.code, _one(value), context)
            return _tested(
                parameter, equal.operands[0], lambda one: bool(one.code or one.system) and not _matches(equal, one)
            )
        case "co" | "sw" | "ew":
            compare, wanted = _TEXT[operator], value.casefold()
            return _tested(parameter, value, lambda one: compare(one.code.casefold(), wanted))
        case _ if operator in _TERMINOLOGY:
            return read(f"{parameter.code}:{_TERMINOLOGY[operator]}", _one(value), context)
    raise _refused(operator, parameter.code, ("eq", "ne", "co", "sw", "ew", *_TERMINOLOGY, "pr"))


def _of_reference(parameter: SearchParameter, operator: str, value: str, context: Context, read: Read) -> Criterion:
    if operator in ("eq", "re"):
        return read(parameter.code, _escaped(value), context)
    if operator != "ne":
        raise _refused(operator, parameter.code, ("eq", "ne", "re", "pr"))
    link = reference.operand(_escaped(value), "", parameter, context)
    return _tested(
        parameter, link, lambda one: bool(reference.literal(one) or one.contained) and not reference.names(one, link)
    )


def _of_uri(parameter: SearchParameter, operator: str, value: str, context: Context, read: Read) -> Criterion:
    match operator:
        case "eq":
            return read(parameter.code, _escaped(value), context)
        case "ne":
            return _tested(parameter, value, lambda one: one.value != value)
        case "co" | "sw" | "ew":
            compare = _TEXT[operator]
            return _tested(parameter, value, lambda one: compare(one.value, value))
        case "ss" | "sb":
            return read(f"{parameter.code}:{_TERMINOLOGY[operator]}", _escaped(value), context)
    raise _refused(operator, parameter.code, ("eq", "ne", "co", "sw", "ew", "ss", "sb", "pr"))


def _tested(parameter: SearchParameter, operand: Any, test: Callable[[Any], bool]) -> Tested:
    return Tested(parameter.code, "", parameter, (operand,), test)


def _matches(criterion: Criterion, value: Any) -> bool:
    from liaison.fhir.search.kinds import kind_for  # as composite does: the kinds know of all types

    return kind_for(criterion).matches((value,), criterion)


def _escaped(value: str) -> str:
    """A text without meaning of its own, as a search value writes it."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$").replace("|", "\\|")


def _full(value: str) -> str:
    """The value, its systems in full where R4 lets them be written by a short name."""
    return _NAMESPACE.sub(lambda found: _NAMESPACES[found[1].lower()], value)


def _one(value: str) -> str:
    """A value whose bars and dollars mean something, but that is one value, whatever commas it holds."""
    return value.replace("\\,", ",").replace(",", "\\,")


def _refused(operator: str, name: str, known: Any) -> BadRequest:
    return BadRequest(f"'{name[:60]}' cannot be compared by '{operator}'; by these it can: {', '.join(known)}.")
