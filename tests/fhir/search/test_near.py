"""near on Location: distances on the Earth."""

from decimal import Decimal

import pytest

from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Position

from .test_types import decided

AURILLAC = Position(Decimal("44.9261"), Decimal("2.4440"))  # 27.9 km from Mauriac, 45.7 km from Saint-Flour
FIJI = Position(Decimal("-17.0"), Decimal("179.9"))


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("44.9261|2.4440|0", AURILLAC, True),
        ("45.2189|2.3328|34", AURILLAC, True),
        ("45.2189|2.3328|33", AURILLAC, False),
        ("45.2189|2.3328|34|km", AURILLAC, True),
        ("45.2189|2.3328|34000|m", AURILLAC, True),
        ("45.2189|2.3328|33000|m", AURILLAC, False),
        ("45.2189|2.3328|21|[mi_us]", AURILLAC, True),
        ("45.2189|2.3328|20|[mi_us]", AURILLAC, False),
        ("45.0|2.5", AURILLAC, True),
        ("45.2189|2.3328", AURILLAC, False),
        ("45.2189|2.3328||m", AURILLAC, False),
        ("0|0|1,45.2189|2.3328|34", AURILLAC, True),
        ("-17.0|-179.9|22", FIJI, True),
        ("-17.0|-179.9|21", FIJI, False),
        ("90|0|11700", FIJI, False),
        ("90|0|11900", FIJI, True),
    ],
)
def test_places_within_a_great_circle_distance_are_near(text: str, value: Position, expected: bool) -> None:
    assert decided("Location", "near", text, value) is expected


@pytest.mark.parametrize(
    "text",
    [
        "45",
        "45|",
        "|2",
        "91|2",
        "45|181",
        "45|2|-1",
        "45|2|x",
        "45|2|1|kg",
        "45|2|1|kms",
        "45|2|1|km|x",
        "ge45|2|1",
        "x|2",
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        decided("Location", "near", text)


def test_a_location_without_position_is_near_nothing() -> None:
    assert not decided("Location", "near", "45|2|20000")
    assert decided("Location", "near:missing", "true")
