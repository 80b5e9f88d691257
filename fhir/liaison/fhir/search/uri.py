"""uri parameters: the whole URI, to the letter (R4 search.html#uri). `:below` and `:above` after decryption.

A canonical that the record writes with a version or a fragment (`meta.profile`) is found with them and without; so is the `url` of a
definition, whose version stands beside it. `:above` and `:below` go by whole path segments, and not into a urn.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.model.values import Uri
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape

MODIFIERS: Final = frozenset({"above", "below"})


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    return unescape(text)


def index(value: Uri) -> Iterable[bytes]:
    for one in _written(value):
        yield one.encode()


def narrow(criterion: Criterion) -> Condition | None:
    if criterion.modifier:
        return None
    return Tokens(criterion.parameter.number, tuple(uri.encode() for uri in criterion.operands))


def matches(values: Sequence[Uri], criterion: Criterion) -> bool:
    match criterion.modifier:
        case "below":
            return any(_starts(_written(value)[0], uri) for value in values for uri in criterion.operands)
        case "above":
            return any(_starts(uri, _written(value)[0]) for value in values for uri in criterion.operands)
        case _:
            return any(one in criterion.operands for value in values for one in _written(value))


def _written(value: Uri) -> tuple[str, ...]:
    """Each way in which a search may name it."""
    if value.version:
        return value.value, f"{value.value}|{value.version}"
    ends = ("", f"#{value.fragment}") if value.fragment else ("",)
    whole = value.value.removesuffix(ends[-1])
    url = whole.partition("|")[0]
    return tuple(dict.fromkeys(one + end for end in ends for one in (url, whole)))


def _starts(uri: str, with_: str) -> bool:
    """By whole path segments; a urn: has none, so only the same urn matches."""
    if uri == with_:
        return True
    return not uri.startswith("urn:") and uri.startswith(with_ if with_.endswith("/") else f"{with_}/")
