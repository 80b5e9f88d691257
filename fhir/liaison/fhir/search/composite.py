"""composite parameters, decided after decryption: parts joined by `$`, all met by one element (R4 search.html#composite)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter, parameter_by_id
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Composite
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import split

MODIFIERS: Final[frozenset[str]] = frozenset()


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    """One criterion for each component."""
    from liaison.fhir.search.kinds import TYPES  # composite is itself one of the types

    parts = split(text, "$")
    if len(parts) != len(parameter.components) or not all(parts):
        raise BadRequest(f"A value has {len(parameter.components)} parts, joined by $.")
    found = []
    for part, component in zip(parts, parameter.components, strict=True):
        typed = parameter_by_id(component.parameter)
        found.append(Criterion(typed.code, "", typed, (TYPES[typed.type].operand(part, "", typed, context),)))
    return tuple(found)


def index(value: Composite) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[Composite], criterion: Criterion) -> bool:
    from liaison.fhir.search.kinds import TYPES

    return any(
        all(
            TYPES[part.parameter.type].matches((of_part,), part)
            for part, of_part in zip(parts, value.parts, strict=True)
        )
        for value in values
        for parts in criterion.operands
    )
