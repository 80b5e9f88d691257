"""What a search for a value of an element asks, and which elements it means: read from R4, sharing no code with the search.

The oracle of the walk over the CapabilityStatement. Equality only: the other modifiers and prefixes are compared with the
reference evaluator (tests/proof/reference).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from ..reference.elements import codings, date_is, period, quantity_is, string_is

Meant = Callable[[Any], bool]


class Asked(NamedTuple):
    """A search value, with the modifier of its parameter, and whether an element is meant by it."""

    text: str
    meant: Meant
    modifier: str = ""


def escaped(text: str) -> str:
    for sign in ("\\", ",", "$", "|"):
        text = text.replace(sign, f"\\{sign}")
    return text


def asked(kind: str, element: Any) -> Iterator[Asked]:
    """Searches of a parameter of this type that an element must be found by."""
    match kind:
        case "token":
            yield from _tokens(element)
        case "string":
            for leaf in leaves(element):
                yield Asked(escaped(leaf), partial(_has_leaf, leaf), "exact")
        case "date":
            yield from _dates(element)
        case "reference":
            if text := target(element):
                yield Asked(escaped(text), lambda other: text in (target(other), target(other).partition("|")[0]))
        case "uri":
            if isinstance(element, str):
                # Without a version, a canonical of any is meant.
                yield Asked(escaped(element), lambda other: element in (other, other.partition("|")[0]))
        case "number":
            if not isinstance(element, dict | bool | str):
                yield Asked(str(element), lambda other: _is_number(other, str(element)))
        case "quantity":
            if isinstance(element, dict) and "value" in element and "comparator" not in element:
                yield Asked(str(element["value"]), lambda other: quantity_is(other, "", str(element["value"])))


def begun(element: Any) -> Iterator[Asked]:
    """Of a string within a composite, which takes no modifier: what begins so."""
    for leaf in leaves(element):
        yield Asked(escaped(leaf), partial(_begins, leaf))


def _begins(leaf: str, element: Any) -> bool:
    return any(string_is(known, "", leaf) for known in leaves(element))


def _tokens(element: Any) -> Iterator[Asked]:
    for system, code in codings(element):
        if ":" in system and code:  # the system of a contact is no namespace
            yield Asked(f"{escaped(system)}|{escaped(code)}", partial(_has_coding, system, code))
        if code:
            yield Asked(escaped(code), partial(_has_coding, None, code))


def _has_leaf(leaf: str, element: Any) -> bool:
    return leaf in leaves(element)


def _has_coding(system: str | None, code: str, element: Any) -> bool:
    """`system` None: of any system."""
    return any(known == code and system in (None, of) for of, known in codings(element))


def _dates(element: Any) -> Iterator[Asked]:
    if isinstance(element, str):
        yield Asked(element, lambda other: _is_date(other, element))
    elif isinstance(element, dict) and "start" in element:
        text = f"le{element['start']}"
        yield Asked(text, lambda other: _is_date(other, text))


def _is_date(element: Any, text: str) -> bool:
    return is_known("date", element) and date_is(element, "", text)


def _is_number(element: Any, text: str) -> bool:
    return not isinstance(element, dict | str) and quantity_is({"value": element}, "", text)


def leaves(element: Any) -> list[str]:
    """The texts of a string, a name or an address that R4 lets a string search look at."""
    if isinstance(element, str):
        return [element]
    names = (
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
    )
    found = [element.get(name, []) for name in names] if isinstance(element, dict) else []
    return [text for one in found for text in (one if isinstance(one, list) else [one])]


def target(element: Any) -> str:
    """What a literal reference or a canonical names, '' for anything else."""
    text = element.get("reference", "") if isinstance(element, dict) else element
    if not isinstance(text, str) or (isinstance(element, str) and not text.startswith("http")):
        return ""
    return text.partition("/_history/")[0]


def is_known(kind: str, element: Any) -> bool:
    """Whether the oracle can say of this element what a search of this type does with it."""
    if kind == "date":
        try:
            period(element)
        except (KeyError, TypeError, ValueError):
            return False
        return isinstance(element, str) or bool({"start", "end"} & set(element))
    if kind == "quantity":
        # Without a value it is found by none; a Range, SampledData or Money is left to the reference.
        bare = isinstance(element, dict) and element.keys() <= {"id", "extension", "value", "unit", "system", "code"}
        return bare or (
            isinstance(element, dict) and "value" in element and not {"comparator", "currency"} & set(element)
        )
    if kind == "number":
        return not isinstance(element, dict)
    return True
