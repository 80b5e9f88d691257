"""composite parameters, decided after decryption: parts joined by `$`, all met by one element (R4 search.html#composite).

What is decrypted is narrowed by the codes among the parts: a resource that has them nowhere meets no value.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter, parameter_by_id, search_parameters
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Composite
from liaison.fhir.search import token
from liaison.fhir.search.conditions import Condition, all_of, any_of
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


def required(criterion: Criterion, type_: str) -> Condition | None:
    """What a row must satisfy for any of the values to be met, as far as its tokens tell. None when they tell nothing."""
    parameter = criterion.parameter
    telling = [_is_indexed(parameter, number, type_) for number in range(len(parameter.components))]
    if not any(telling):
        return None
    return any_of(
        all_of(token.narrow(part) for part, tells in zip(parts, telling, strict=True) if tells)
        for parts in criterion.operands
    )


def _is_indexed(parameter: SearchParameter, number: int, type_: str) -> bool:
    """Whether each value of this component is a value of its own parameter too, whose tokens are in the index. Said only
    of a code whose own parameter names the same paths, without a filter or a cast."""
    component = parameter.components[number]
    own = parameter_by_id(component.parameter)
    if (
        own.type != "token"
        or not component.expression.isidentifier()
        or search_parameters(type_).get(own.code) is not own
    ):
        return False
    roots = {root for part in parameter.expression.split("|") if (root := part.strip()).split(".")[0] == type_}
    named = {part.strip() for part in own.expression.split("|")}
    return bool(roots) and {f"{root}.{component.expression}" for root in roots} <= named


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
