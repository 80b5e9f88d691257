"""Chains and _has: what is asked of the resources that one refers to, or that refer to it (R4 search.html#chaining, #has).

    patient.name=…                            subject:Patient.organization.name=…
    _has:Observation:patient:code=…           _has:Encounter:patient:service-provider.name=…
    patient._has:Condition:patient:code=…     _has:Encounter:patient:_has:Observation:encounter:code=…

A chain may end in any parameter, with its modifier. When no type is named, every type that the reference may lead to and
that has the next parameter is tried; more than MOST_WAYS of them are refused, and one has to be named. Here a chain is
read; liaison.fhir.search.links follows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES, SearchParameter, ownership, search_parameters
from liaison.fhir.errors import BadRequest, Issue, shown
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.expression import leaves
from liaison.fhir.search.known import find_parameter

MOST_LINKS: Final = 4
MOST_HAS: Final = 2
MOST_WAYS: Final = 32
_OF_EVERY_TYPE: Final = frozenset({"_has", "_list", "_filter"})
"""Parameters of every type that no definition lists."""

Read = Callable[[str, str, Context], Criterion]
"""liaison.fhir.search.parse.criterion: reads where a chain ends."""


class Way(NamedTuple):
    """One type that a link leads to, and what is asked of its resources."""

    type_: str
    asked: Criterion


@dataclass(frozen=True, slots=True)
class Chained(Criterion):
    """`parameter` refers from the type searched to one of the types of `ways`. With `reverse` (_has), from the type of
    the one way to the type searched. `operands` are as many as the ways have: what a search may name is counted."""

    ways: tuple[Way, ...] = ()
    reverse: bool = False


def is_chained(asked: str) -> bool:
    return "." in asked or asked.partition(":")[0] == "_has"


def chained(asked: str, text: str, context: Context, read: Read) -> Criterion:
    """A parameter for which `is_chained` holds. BadRequest says which link is not understood, or which limit is passed."""
    try:
        found = _criterion(asked, text, context, read, 0, 0)
        if (ways := ends(found)) > MOST_WAYS:
            raise BadRequest(
                f"{ways} types would have to be looked at, and {MOST_WAYS} may be. Name the type a link leads to, as in "
                "subject:Patient.name."
            )
        return found
    except BadRequest as error:
        raise BadRequest(
            issues=[
                Issue(issue.code, f"In the chain '{shown(asked, 60)}': {issue.diagnostics}", issue.expression)
                for issue in error.issues
            ]
        ) from None


def link_of(head: str, type_: str, among: Context | None = None) -> tuple[SearchParameter, tuple[str, ...]]:
    """The reference parameter `code` or `code:Type` of a type, and the types it may lead to. `among`: the types searched
    together, of which an error speaks."""
    code, colon, named = head.partition(":")
    parameter = _reference(type_, code)
    if parameter is None:
        whose = type_ if among is None else among.without(lambda one: _reference(one, code) is not None)
        references = ", ".join(sorted(one for one, p in search_parameters(type_).items() if p.type == "reference"))
        these = f" These are: {references or 'none'}." if whose == type_ else ""
        raise _unknown(f"'{shown(code, 60)}' is not a reference parameter of {whose}.{these}")
    targets = tuple(one for one in sorted(parameter.target) if ownership(one).rule != "never")
    if colon:
        if named not in targets:
            raise _unknown(f"'{shown(code, 60)}' of {type_} does not lead to '{shown(named, 60)}'.")
        targets = (named,)
    return parameter, targets


def _reference(type_: str, code: str) -> SearchParameter | None:
    parameter = find_parameter(type_, code)
    return parameter if parameter is not None and parameter.type == "reference" else None


def _criterion(asked: str, text: str, context: Context, read: Read, links: int, reverses: int) -> Criterion:
    if asked.partition(":")[0] == "_has":
        return _has(asked, text, context, read, links, reverses + 1)
    head, dot, rest = asked.partition(".")
    if not dot:
        return read(asked, text, context)
    if links == MOST_LINKS:
        raise _unknown(f"A chain has at most {MOST_LINKS} links.")
    parameter, targets = link_of(head, context.type_, context)
    require_chain(parameter, rest)
    ways, problems = [], []
    for target in fitting(rest, targets):
        try:
            there = context.of(target)
            ways.append(Way(target, _criterion(rest, text, there, read, links + 1, reverses)))
        except BadRequest as error:
            problems.append(error)
    if not ways and problems:
        raise problems[0]
    if not ways:
        raise _unknown(
            f"No type that '{shown(head, 60)}' may lead to has the parameter '{shown(rest.partition('.')[0], 60)}'."
        )
    return chained_to(head, parameter, ways)


def require_chain(parameter: SearchParameter, rest: str) -> None:
    """Raises BadRequest when the definition of an added parameter names its chains, and not this one."""
    code = rest.partition(".")[0].partition(":")[0]
    chain = parameter.allowed.chain if parameter.allowed else None
    if chain is not None and code not in chain:
        raise _unknown(f"The definition of '{parameter.code}' allows chains to these only: {', '.join(sorted(chain))}.")


def fitting(rest: str, targets: Sequence[str]) -> list[str]:
    """The types that know the next parameter of a chain; the one there is, whatever it knows, so that it is told."""
    if len(targets) == 1:
        return list(targets)
    code = rest.partition(".")[0].partition(":")[0]
    return [one for one in targets if code in _OF_EVERY_TYPE or find_parameter(one, code)]


def _has(asked: str, text: str, context: Context, read: Read, links: int, reverses: int) -> Criterion:
    if reverses > MOST_HAS:
        raise _unknown(f"_has can be nested {MOST_HAS} deep.")
    _, source, code, rest = [*asked.split(":", 3), "", "", ""][:4]
    if source not in RESOURCE_TYPES or not code or not rest:
        raise BadRequest("_has is written _has:Type:reference:parameter, as in _has:Observation:patient:code.")
    if ownership(source).rule == "never":
        raise _unknown(f"{source} cannot be asked about here.")
    parameter = find_parameter(source, code)
    if parameter is None or parameter.type != "reference" or context.type_ not in parameter.target:
        raise _unknown(f"'{shown(code, 60)}' is not a parameter by which {source} refers to {context.type_}.")
    way = Way(source, _criterion(rest, text, context.of(source), read, links, reverses))
    return chained_to("_has", parameter, [way], reverse=True)


def chained_to(name: str, parameter: SearchParameter, ways: Sequence[Way], *, reverse: bool = False) -> Chained:
    """The criterion of one link."""
    count = sum(len(way.asked.operands) for way in ways)
    return Chained(name, "", parameter, (None,) * count, tuple(ways), reverse)


def ends(criterion: Criterion) -> int:
    """How many parameters of how many types are asked about at the far ends."""
    if isinstance(criterion, Chained):
        return sum(ends(way.asked) for way in criterion.ways)
    return sum(ends(one) for one in leaves((criterion,)) if isinstance(one, Chained)) or 1


def _unknown(text: str) -> BadRequest:
    return BadRequest(issues=[Issue("not-supported", text)])
