"""_id: the logical id, to the letter. An id that is not one of ours matches nothing, and costs the same as any other."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape

MODIFIERS: Final = frozenset({"not"})


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    return unescape(text)


def index(value: Any) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    """None: only the plan can decode ids; it makes `Ids` of them."""
    return None


def matches(values: Sequence[Any], criterion: Criterion) -> bool:
    """`values` are ids."""
    return any(id_ in criterion.operands for id_ in values) is (criterion.modifier != "not")
