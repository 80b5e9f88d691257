"""What a search parameter finds in a resource. http://hl7.org/fhir/R4/search.html

Immutable, hashable, and of one class for one parameter type. Case, accents and punctuation are as in the record, so
that each modifier can decide what it ignores; only a plain string searched as a token has lost its case already.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Union


class Token(NamedTuple):
    """token: a coding, an identifier, a code, a boolean. '' where the record says nothing.

    `text` is what `:text` searches (display, CodeableConcept.text, Identifier.type.text); `types` are the codings of
    Identifier.type as (system, code), for `:of-type`.
    """

    system: str = ""
    code: str = ""
    text: str = ""
    types: tuple[tuple[str, str], ...] = ()


class Text(NamedTuple):
    """string: one part of a name or address, or a whole string."""

    value: str


class DateRange(NamedTuple):
    """date: every instant the value may mean, low included, high excluded. None is an open end.

    A value without a time zone is read in liaison.fhir.model.dates.ZONE. Both ends are in UTC.
    """

    low: datetime | None
    high: datetime | None


class Reference(NamedTuple):
    """reference: literal, logical or canonical.

    `type` and `id` are set for `Type/id` and for an absolute URL that ends so, which is also kept in `url`; `version`
    for `/_history/…` and for the part of a canonical after `|`. Any other literal, canonicals included, is in `url`.
    `system` and `value` are those of Reference.identifier. Of a reference within the resource, `contained` is what stands
    behind the `#`: the id of a contained resource; "#" when there is nothing, for the one that contains. `fragment` is the
    part of a canonical that it names, behind the version if there is one.
    """

    type: str = ""
    id: str = ""
    url: str = ""
    version: str = ""
    system: str = ""
    value: str = ""
    contained: str = ""
    fragment: str = ""


class Number(NamedTuple):
    """number: low and high are the same, but for a Range. None is an open end."""

    low: Decimal | None
    high: Decimal | None


class Quantity(NamedTuple):
    """quantity: as Number, with the unit as coded and as written. A comparator opens one end; with `<` and `>` the other
    is not part of the value, which is then `strict`."""

    low: Decimal | None
    high: Decimal | None
    system: str = ""
    code: str = ""
    unit: str = ""
    strict: bool = False


class Uri(NamedTuple):
    """uri: as written. `version` is that of a definition whose own canonical URL this is; `fragment` what a canonical has at
    its end."""

    value: str
    version: str = ""
    fragment: str = ""


class Position(NamedTuple):
    """special (Location.near): degrees, WGS84."""

    latitude: Decimal
    longitude: Decimal


class Composite(NamedTuple):
    """composite: one value for each component, in the order of the definition, all from the same element."""

    parts: tuple["Single", ...]


Single = Union[Token, Text, DateRange, Reference, Number, Quantity, Uri, Position]  # noqa: UP007  # forward use above
Value = Single | Composite
