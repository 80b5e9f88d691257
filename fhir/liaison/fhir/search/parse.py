"""The query string or form body as a Query. Strict: what is not understood is refused and named, never skipped.

FHIR R4 search.html#errors. With `Prefer: handling=lenient` it is skipped and reported in `Query.ignored`, which the
Bundle shows as an `outcome` entry; a skipped criterion widens the result, so this is never the default.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from liaison.fhir.definitions import RESOURCE_TYPES, SearchParameter, official_parameters, search_parameters
from liaison.fhir.errors import BadRequest, Issue, shown
from liaison.fhir.search import lists, result
from liaison.fhir.search.chain import chained, is_chained
from liaison.fhir.search.criteria import Context, Criterion, ParameterType, Query
from liaison.fhir.search.escapes import split
from liaison.fhir.search.filtering import filtered
from liaison.fhir.search.kinds import TYPES, WORDS, kind_of
from liaison.fhir.search.known import find_parameter, require_allowed

MOST_BYTES: Final = 64 * 1024
MOST_PARAMETERS: Final = 100
MOST_VALUES: Final = 500
"""Values between commas, over all parameters: each costs a token for each patient."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

_TIMELESS: Final = frozenset({"token", "reference", "uri"})
_SHORT: Final = 200

# Parameters of the edge, for any interaction (http.html#parameters); it has read them already.
OF_THE_EDGE: Final = frozenset({"_format", "_pretty"})

_NOT_YET: Final = frozenset({"_query", "_contained", "_containedType"})


_ALSO: Final = frozenset({"_filter", "_has", lists.NAME})
"""Of every type, and no SearchParameter that is decided on values."""


def pairs(query: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a query string or form body, in order. BadRequest for what is not UTF-8 or too long."""
    if len(query) > MOST_BYTES:
        raise BadRequest(f"A search may be {MOST_BYTES} characters long; send less, or several searches.")
    if query.count("&") >= MOST_PARAMETERS:
        raise BadRequest(f"A search may have {MOST_PARAMETERS} parameters.")
    try:
        parts = [part.partition("=") for part in query.split("&") if part]
        return tuple([(_decoded(name), _decoded(value)) for name, _, value in parts])
    except UnicodeDecodeError:
        raise BadRequest("The search is not valid UTF-8 after percent-decoding.") from None


def _decoded(text: str) -> str:
    """application/x-www-form-urlencoded, as urllib.parse.parse_qsl reads it, in a third of the time."""
    text = text.replace("+", " ")
    return unquote_to_bytes(text).decode() if "%" in text else text


def parse(given: Iterable[tuple[str, str]], context: Context, *, lenient: bool = False) -> Query:
    """Every parameter read, or BadRequest with one issue for each that is not understood."""
    criteria: list[Criterion] = []
    kept: list[tuple[str, str]] = []
    refused: list[Issue] = []
    controls = result.Controls(context.type_, context.types)
    values = 0
    for name, text in given:
        if name in OF_THE_EDGE:
            continue
        try:
            if not controls.read(name, text):
                one = criterion(name, text, context)
                if one.modifier == "missing" and one.parameter.type == "composite":
                    # Only R4's search parameters say so (search.html#modifiers); a filter may ask whether it is present.
                    raise BadRequest(
                        f"Search parameter '{shown(name, 60)}': a composite has no modifiers, ':missing' neither."
                    )
                _require_once(one, criteria)
                values += len(one.operands)
                criteria.append(one)
            kept.append((name, text))
        except BadRequest as error:
            refused += [issue for issue in error.issues if issue not in refused]
    if values > MOST_VALUES:
        refused.append(Issue("too-costly", f"A search may name {MOST_VALUES} values over all its parameters."))
        raise BadRequest(issues=refused)
    if refused and not lenient:
        raise BadRequest(issues=refused)
    ignored = tuple(Issue(i.code, f"Ignored: {i.diagnostics}", i.expression, "warning") for i in refused)
    return controls.query(tuple(criteria), tuple(kept), ignored)


def _require_once(one: Criterion, before: Iterable[Criterion]) -> None:
    allowed = one.parameter.allowed
    if allowed is not None and not allowed.repeated and any(other.parameter is one.parameter for other in before):
        raise BadRequest(f"Search parameter '{one.parameter.code}': its definition allows it once (multipleAnd).")


def criterion(asked: str, text: str, context: Context) -> Criterion:
    """One parameter with its modifier and values. BadRequest names what is unknown or malformed."""
    if asked == "_filter":
        return _filter(text, context)
    if asked.partition(":")[0] == lists.NAME:
        return lists.listed(asked, text, context.type_)
    if is_chained(asked):
        return chained(asked, text, context, criterion)
    name = asked.partition(":")[0]
    known = official_parameters(context.type_).get(name)
    if known is not None and known.type in _TIMELESS and len(text) <= _SHORT:
        return _same(asked, text, context.type_, context.base_url)
    return _plain(asked, text, context)


@lru_cache(maxsize=2048)
def _same(asked: str, text: str, type_: str, base_url: str) -> Criterion:
    """Of R4's parameters that mean the same at any moment: the same codes are asked for all day."""
    return _plain(asked, text, Context(type_, base_url, datetime.min))


def _plain(asked: str, text: str, context: Context) -> Criterion:
    name, colon, modifier = asked.partition(":")
    parameter = _parameter(name, asked, context)
    try:
        if colon and not modifier:
            raise BadRequest("After the colon, a modifier is missing.")
        if modifier == "missing" and kind_of(parameter) is not WORDS:
            return Criterion(name, modifier, parameter, (_missing(text, parameter),))
        kind = kind_of(parameter)
        if modifier and modifier not in kind.MODIFIERS and not _is_type(modifier, kind.MODIFIERS, parameter):
            raise BadRequest(
                f"The modifier ':{shown(modifier, 60)}' is not supported here; {_modifiers(kind, parameter)}."
            )
        parts = split(text, ",")
        if not all(parts):
            raise BadRequest("A value is missing.")
        require_allowed(parameter, modifier, parts)
        return Criterion(
            name, modifier, parameter, tuple(kind.operand(one, modifier, parameter, context) for one in parts)
        )
    except BadRequest as error:
        raise BadRequest(
            issues=[
                Issue("value", f"Search parameter '{shown(asked, 60)}': {issue.diagnostics}") for issue in error.issues
            ]
        ) from None


def _filter(text: str, context: Context) -> Criterion:
    try:
        return filtered(text, context, criterion)
    except BadRequest as error:
        raise BadRequest(
            issues=[Issue(issue.code, f"Search parameter '_filter': {issue.diagnostics}") for issue in error.issues]
        ) from None


def _parameter(name: str, asked: str, context: Context) -> SearchParameter:
    type_ = context.type_
    if name == "_type":
        raise BadRequest("'_type' goes with a search over several types: GET [base]?_type=Observation,Condition.")
    if name in _NOT_YET:
        raise BadRequest(issues=[Issue("not-supported", f"The search parameter '{name}' is not supported yet.")])
    parameter = find_parameter(type_, name) if _NAME.fullmatch(name) else None
    if parameter is None:
        raise BadRequest(issues=[Issue("not-supported", _unknown(name, context))])
    if _is_phonetic(parameter):
        said = (
            f"'phonetic' of {type_} is not served: nothing here knows how names sound. 'name' looks for the start of a "
            "name, whatever its case, accents and punctuation."
        )
        raise BadRequest(issues=[Issue("not-supported", said)])
    if not supported(parameter):
        raise BadRequest(issues=[Issue("not-supported", f"The search parameter '{name}' is not supported yet.")])
    return parameter


def _unknown(name: str, context: Context) -> str:
    types = context.types or (context.type_,)
    whose = context.without(lambda one: find_parameter(one, name) is not None)
    each = [{code for code, found in search_parameters(one).items() if supported(found)} for one in types]
    known = ", ".join(sorted(set.intersection(*each).union(_ALSO)))
    of_all = " to all types searched" if len(types) > 1 else ""
    return f"'{shown(name, 60)}' is not a search parameter of {whose}. Known{of_all}: {known}."


def supported(parameter: SearchParameter) -> bool:
    """Whether the search decides this parameter at all. What it does not is refused by name."""
    if parameter.code in _NOT_YET or parameter.type not in TYPES or _is_phonetic(parameter):
        return False
    return bool(parameter.expression) or kind_of(parameter) is WORDS


def _is_phonetic(parameter: SearchParameter) -> bool:
    """R4's parameters for "some kind of phonetic matching algorithm": to answer them by the letters would be to claim one."""
    return parameter.code == "phonetic" and not parameter.added


def _missing(text: str, parameter: SearchParameter) -> bool:
    if text not in ("true", "false"):
        raise BadRequest("The value of :missing is true or false.")
    return text == "true"


def _is_type(modifier: str, modifiers: frozenset[str], parameter: SearchParameter) -> bool:
    """Whether a modifier is a type that the reference may point to (`subject:Patient`)."""
    if "Type" not in modifiers or modifier not in RESOURCE_TYPES:
        return False
    return not parameter.target or modifier in parameter.target


def _modifiers(kind: ParameterType, parameter: SearchParameter) -> str:
    known = sorted(kind.MODIFIERS | (set() if parameter.type == "composite" or kind is WORDS else {"missing"}))
    if "Type" in known:
        known[known.index("Type")] = "[type]"
    return f"these are: {', '.join(f':{one}' for one in known)}" if known else "this parameter has none"
