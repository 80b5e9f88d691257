"""near on Location, decided after decryption: `latitude|longitude|distance|units` (R4 location.html#search).

Great-circle distance on a sphere of the Earth's mean radius, WGS84 degrees: at most 0.6 % from the ellipsoid's. Without
units a distance is in km; any UCUM unit of length will do ([mi_us], m). Without a distance, near means NEAR km.
"""

from collections.abc import Iterable, Sequence
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.definitions.units import conversion
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Position
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.number import amount

MODIFIERS: Final[frozenset[str]] = frozenset()
NEAR: Final = 20.0
"""Kilometres that count as near when a search names no distance: a country doctor's round."""

_RADIUS: Final = 6371.0088  # the Earth's mean radius, IUGG


class Circle(NamedTuple):
    """Degrees, and kilometres around them."""

    latitude: float
    longitude: float
    distance: float


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    parts = [unescape(part) for part in split(text, "|")]
    if not 2 <= len(parts) <= 4 or not parts[0] or not parts[1]:
        raise BadRequest("A place is written latitude|longitude|distance|units; distance and units may be left out.")
    latitude, longitude = _plain(parts[0]), _plain(parts[1])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise BadRequest("A latitude is from -90 to 90, a longitude from -180 to 180 degrees.")
    if len(parts) < 3 or not parts[2]:
        return Circle(latitude, longitude, NEAR)
    unit = parts[3] if len(parts) == 4 and parts[3] else "km"
    found = conversion(unit, "km")
    if found is None:
        raise BadRequest(f"'{unit[:40]}' is not a unit of length in UCUM such as km, m or [mi_us].")
    distance = _plain(parts[2]) * float(found[0])
    if distance < 0:
        raise BadRequest("A distance is not negative.")
    return Circle(latitude, longitude, distance)


def _plain(text: str) -> float:
    found = amount(text)
    if text[:2] == found.prefix:
        raise BadRequest("A place has no prefixes.")
    return float(found.value)


def index(value: Position) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[Position], criterion: Criterion) -> bool:
    return any(_apart(value, circle) <= circle.distance for value in values for circle in criterion.operands)


def _apart(value: Position, circle: Circle) -> float:
    """Kilometres, by the haversine formula."""
    north, south = radians(float(value.latitude)), radians(circle.latitude)
    east = radians(float(value.longitude) - circle.longitude)
    half = sin((north - south) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return 2 * _RADIUS * asin(min(1.0, sqrt(half)))
