"""uri parameters: the whole URI, to the letter (R4 search.html#uri). `:below` and `:above` after decryption."""

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
    yield value.value.encode()


def narrow(criterion: Criterion) -> Condition | None:
    if criterion.modifier:
        return None
    return Tokens(criterion.parameter.number, tuple(uri.encode() for uri in criterion.operands))


def matches(values: Sequence[Uri], criterion: Criterion) -> bool:
    match criterion.modifier:
        case "below":
            return any(_starts(value.value, uri) for value in values for uri in criterion.operands)
        case "above":
            return any(_starts(uri, value.value) for value in values for uri in criterion.operands)
        case _:
            return any(value.value in criterion.operands for value in values)


def _starts(uri: str, with_: str) -> bool:
    """By whole path segments; a urn: has none, so only the same urn matches."""
    if uri == with_:
        return True
    return not uri.startswith("urn:") and uri.startswith(with_ if with_.endswith("/") else f"{with_}/")
