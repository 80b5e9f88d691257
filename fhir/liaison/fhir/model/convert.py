"""From a FHIR element to search values, one function for each pair of parameter type and data type.

The pairs are those of http://hl7.org/fhir/R4/search.html and the ones that R4's expressions lead to beside them. A
pair in neither table would be a parameter skipped in silence: tests/fhir/model/test_extract.py finds none.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from liaison.fhir.model import dates
from liaison.fhir.model.fhirpath.resolve import restful
from liaison.fhir.model.values import (
    DateRange,
    Number,
    Position,
    Quantity,
    Reference,
    Single,
    Text,
    Token,
    Uri,
)

Convert = Callable[[Any], Iterable[Single]]

_MOMENT = timedelta(microseconds=1)


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _each(node: Any, key: str) -> Iterator[Any]:
    """The items of a repeating property, and nothing when it is absent or not a list."""
    found = node.get(key) if type(node) is dict else None
    if type(found) is list:
        yield from (item for item in found if item is not None)


def _object(node: Any, key: str) -> dict[str, Any]:
    """The object at a property, and an empty one when there is none."""
    found = node.get(key)
    return found if type(found) is dict else {}


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


# ---- token --------------------------------------------------------------------------------------------------------


def _coding(node: Any) -> Iterator[Token]:
    token = Token(_text(node.get("system")), _text(node.get("code")), _text(node.get("display")))
    if any(token):
        yield token


def _concept(node: Any) -> Iterator[Token]:
    for coding in _each(node, "coding"):
        if type(coding) is dict:
            yield from _coding(coding)
    if text := _text(node.get("text")):
        yield Token(text=text)


def _identifier(node: Any) -> Iterator[Token]:
    kind = _object(node, "type")
    codings = [coding for coding in _each(kind, "coding") if type(coding) is dict]
    types = tuple((_text(coding.get("system")), _text(coding.get("code"))) for coding in codings)
    token = Token(_text(node.get("system")), _text(node.get("value")), _text(kind.get("text")), types)
    if token.system or token.code:
        yield token


def _contact(node: Any) -> Iterator[Token]:
    if value := _text(node.get("value")):
        yield Token(code=value)


def _boolean(value: Any) -> Iterator[Token]:
    yield Token(code="true" if value else "false")


def _code(value: Any) -> Iterator[Token]:
    yield Token(code=value)


def _caseless(value: Any) -> Iterator[Token]:
    """A string that is searched as a token, without case (R4 search.html#token)."""
    yield Token(code=value.casefold())


# ---- string, uri --------------------------------------------------------------------------------------------------


def _string(value: Any) -> Iterator[Text]:
    yield Text(value)


def _parts(*names: str) -> Convert:
    def convert(node: Any) -> Iterator[Text]:
        for name in names:
            found = node.get(name)
            for part in found if type(found) is list else (found,):
                if type(part) is str:
                    yield Text(part)

    return convert


def _uri(value: Any) -> Iterator[Uri]:
    yield Uri(value)


def _canonical_uri(value: Any) -> Iterator[Uri]:
    yield Uri(value, fragment=parts_of_canonical(value)[2])


def parts_of_canonical(value: str) -> tuple[str, str, str]:
    """URL, version and fragment of url|version#fragment, of which the last two may be missing (R4 datatypes.html#canonical)."""
    url, bar, rest = value.partition("|")
    if bar:
        version, _, fragment = rest.partition("#")
    else:
        version = ""
        url, _, fragment = url.partition("#")
    return url, version, fragment


# ---- date ---------------------------------------------------------------------------------------------------------


def _date(value: Any) -> Iterator[DateRange]:
    if (found := dates.span(value)) is not None:
        yield DateRange(*found)


def _instant(value: Any) -> Iterator[DateRange]:
    """A point in time, however it is written (R4 search.html#date): as narrow as the store can tell moments apart."""
    if (found := dates.span(value)) is not None:
        yield DateRange(found[0], min(found[0] + _MOMENT, found[1]))


def _period(node: Any) -> Iterator[DateRange]:
    low = dates.span(_text(node.get("start")))
    high = dates.span(_text(node.get("end")))
    if low or high:
        yield DateRange(low[0] if low else None, high[1] if high else None)


def _timing(node: Any) -> Iterator[DateRange]:
    """The outer limits: from the first event to the last, and the bounds. A schedule without either has no date."""
    events = [found for event in _each(node, "event") if (found := dates.span(_text(event))) is not None]
    if events:
        yield DateRange(min(low for low, _ in events), max(high for _, high in events))
    yield from _period(_object(_object(node, "repeat"), "boundsPeriod"))


# ---- reference ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16_384)
def _local(literal: str) -> Reference | None:
    """Of a RESTful reference to a resource here, with nothing beside it: most are that, and the same few."""
    named = restful(literal)
    return None if named is None or named.base else Reference(named.type, named.id, "", named.version)


def _reference(node: Any) -> Iterable[Reference]:
    literal = node.get("reference")
    found = _local(literal) if type(literal) is str and "identifier" not in node else None
    return _any_reference(node) if found is None else (found,)


def _any_reference(node: Any) -> Iterator[Reference]:
    literal = _text(node.get("reference"))
    logical = _object(node, "identifier")
    system, value = _text(logical.get("system")), _text(logical.get("value"))
    type_, id_, url, version, contained = _text(node.get("type")), "", "", "", ""
    if literal.startswith("#"):
        contained = literal[1:] or "#"
    elif literal:
        named = restful(literal)
        if named is not None:
            base, type_, id_, version = named
            url = f"{base}/{type_}/{id_}" if base else ""
        else:
            url = literal
    if id_ or url or system or value or contained:
        yield Reference(type_, id_, url, version, system, value, contained)


def _canonical(value: Any) -> Iterator[Reference]:
    url, version, fragment = parts_of_canonical(value)
    named = restful(url)
    if named is not None and not named.base:  # no canonical has a version of this service's
        yield Reference(named.type, named.id)
    elif value.startswith("#"):
        yield Reference(contained=value[1:] or "#")
    elif url:
        yield Reference(url=url, version=version, fragment=fragment)


def _inline(resource: Any) -> Iterator[Reference]:
    """The resource that stands in a Bundle's first entry."""
    type_, id_ = _text(resource.get("resourceType")), _text(resource.get("id"))
    if type_ and id_:
        yield Reference(type_, id_)


# ---- number, quantity, special ------------------------------------------------------------------------------------


def _number(value: Any) -> Iterator[Number]:
    if (number := _decimal(value)) is not None:
        yield Number(number, number)


def _bounds(node: Any) -> tuple[Decimal | None, Decimal | None]:
    return _decimal(_object(node, "low").get("value")), _decimal(_object(node, "high").get("value"))


def _number_range(node: Any) -> Iterator[Number]:
    low, high = _bounds(node)
    if low is not None or high is not None:
        yield Number(low, high)


def _unit(node: Any) -> tuple[str, str, str]:
    return _text(node.get("system")), _text(node.get("code")), _text(node.get("unit"))


def _quantity(node: Any) -> Iterator[Quantity]:
    value = _decimal(node.get("value"))
    if value is None:
        return
    sign = _text(node.get("comparator"))
    low = None if sign.startswith("<") else value
    high = None if sign.startswith(">") else value
    yield Quantity(low, high, *_unit(node), strict=sign in ("<", ">"))


def _quantity_range(node: Any) -> Iterator[Quantity]:
    low, high = _bounds(node)
    if low is not None or high is not None:
        yield Quantity(low, high, *_unit(_object(node, "low") or _object(node, "high")))


def _sampled(node: Any) -> Iterator[Quantity]:
    """ "Just search on the bounds of the values in sampled data" (R4 observation.html#search, value-quantity): those that it
    states, in the unit of its origin. The samples are not looked at, and without a stated limit there is no value."""
    low, high = _decimal(node.get("lowerLimit")), _decimal(node.get("upperLimit"))
    if low is not None or high is not None:
        yield Quantity(low, high, *_unit(_object(node, "origin")))


def _money(node: Any) -> Iterator[Quantity]:
    value = _decimal(node.get("value"))
    if value is not None:
        currency = _text(node.get("currency"))
        yield Quantity(value, value, "urn:iso:std:iso:4217" if currency else "", currency, currency)


def _position(node: Any) -> Iterator[Position]:
    latitude, longitude = _decimal(node.get("latitude")), _decimal(node.get("longitude"))
    if latitude is not None and longitude is not None:
        yield Position(latitude, longitude)


_QUANTITIES = ("Quantity", "SimpleQuantity", "Age", "Duration")

CONVERT: dict[tuple[str, str], Convert] = {
    ("token", "CodeableConcept"): _concept,
    ("token", "Coding"): _coding,
    ("token", "Identifier"): _identifier,
    ("token", "ContactPoint"): _contact,
    ("token", "boolean"): _boolean,
    **{("token", name): _code for name in ("code", "id", "uri")},
    ("token", "string"): _caseless,
    ("string", "string"): _string,
    ("string", "markdown"): _string,
    ("string", "HumanName"): _parts("text", "family", "given", "prefix", "suffix"),
    ("string", "Address"): _parts("text", "line", "city", "district", "state", "postalCode", "country"),
    **{("uri", name): _uri for name in ("uri", "url")},
    ("uri", "canonical"): _canonical_uri,
    **{("date", name): _date for name in ("date", "dateTime")},
    ("date", "instant"): _instant,
    ("date", "Period"): _period,
    ("date", "Timing"): _timing,
    ("reference", "Reference"): _reference,
    ("reference", "canonical"): _canonical,
    ("reference", "uri"): _canonical,
    ("reference", "Resource"): _inline,
    ("number", "integer"): _number,
    ("number", "decimal"): _number,
    ("number", "Range"): _number_range,
    **{("quantity", name): _quantity for name in _QUANTITIES},
    ("quantity", "Range"): _quantity_range,
    ("quantity", "SampledData"): _sampled,
    ("quantity", "Money"): _money,
    ("special", "Location.position"): _position,
}

NOTHING: dict[tuple[str, str], str] = {
    ("date", "Age"): "an age is no date (Procedure.performed)",
    ("date", "Range"): "a range of ages is no date (Procedure.performed)",
    ("date", "string"): "a date in words cannot be compared",
    ("reference", "Attachment"): "an attachment is content, not a reference (Consent.source)",
    ("token", "Quantity"): "Group's `value` takes concepts and booleans only",
    ("token", "Range"): "Group's `value` takes concepts and booleans only",
    ("token", "Reference"): "Group's `value` takes concepts and booleans only",
}
"""The pairs that R4's expressions reach but that no search value can be made of, each with its reason."""

MORE: dict[tuple[str, str], Convert] = {
    **{("token", name): _code for name in ("oid", "uuid", "url", "canonical")},
    **{("string", name): _string for name in ("code", "id")},
    **{("uri", name): _uri for name in ("oid", "uuid")},
    **{("number", name): _number for name in ("positiveInt", "unsignedInt")},
    **{("quantity", name): _quantity for name in ("Count", "Distance")},
}
"""The pairs that none of R4's own expressions reach, for parameters that a territory adds."""
