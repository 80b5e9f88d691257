"""What a document holds, kept apart as a Binary: it is as closed as every resource that it is the content of, and its author's
is theirs (https://hl7.org/fhir/R4/binary.html#security: a Binary by itself says nothing of who may see it)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from liaison.fhir.definitions import DIRECTORY_TYPES
from liaison.fhir.model.references import unversioned

BINARY: Final = "Binary"
_ADDRESSES: Final = ("url", "reference")
_PEOPLE: Final = DIRECTORY_TYPES | {"Patient", "Person", "RelatedPerson"}


def held_by(tree: Mapping[str, Any]) -> set[str]:
    """'Binary/id' of each that the resource leads to: an attachment of whatever element, a reference."""
    return set(_found(tree)) if tree["resourceType"] != BINARY else set()


def holders(binary: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the others that it is content of."""
    name = f"{BINARY}/{binary.get('id', '')}"
    return [one for one in others if name in held_by(one)]


def governed_by(binary: Mapping[str, Any]) -> str:
    """The resource that it says to be as closed as (Binary.securityContext), or ''. A person says whose it is, and not what it
    is: it stays what nothing is known of."""
    name = unversioned(str((binary.get("securityContext") or {}).get("reference", "")))
    return "" if name.partition("/")[0] in _PEOPLE else name


def _found(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _found(one)
    elif isinstance(node, Mapping):
        for name, value in node.items():
            if name in _ADDRESSES and isinstance(value, str):
                *_, type_, id_ = ("", "", *unversioned(value).split("/"))
                if type_ == BINARY:
                    yield f"{BINARY}/{id_}"
            elif isinstance(value, dict | list):
                yield from _found(value)
