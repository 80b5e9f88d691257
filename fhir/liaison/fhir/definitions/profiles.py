"""The profiles that resources may claim here and are held to: what each asks beyond R4, as its StructureDefinition says.

Cardinalities and targets of references alone: their value sets are preferred ones, and the profiles of targets are theirs.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Constraint(NamedTuple):
    """`path` is below the resource; `maximum` 0 is `*`; `targets` () leaves those of R4. A part of what is not there asks
    nothing."""

    path: tuple[str, ...]
    minimum: int = 1
    maximum: int = 0
    targets: tuple[str, ...] = ()


class Profile(NamedTuple):
    url: str
    type_: str
    constraints: tuple[Constraint, ...]


CARE_CIRCLE: Final = Profile(
    "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-ihe-careteam",
    "CareTeam",
    (
        Constraint(("meta",)),
        Constraint(("identifier",), 1, 1),
        Constraint(("identifier", "value")),
        Constraint(("status",)),
        Constraint(("name",)),
        Constraint(("subject",), targets=("Patient",)),
        Constraint(("period",)),
        Constraint(("period", "start")),
        Constraint(("participant", "member"), targets=("PractitionerRole", "RelatedPerson", "Organization")),
        Constraint(("participant", "period", "start")),
    ),
)
"""The circle of care of the ANS (« Gestion du cercle de soins », 2.0.1, 17 November 2025)."""

PROFILES: Final[Mapping[str, Profile]] = {one.url: one for one in (CARE_CIRCLE,)}
"""By canonical, without a version."""


def profiles_of(type_: str) -> list[str]:
    return [one.url for one in PROFILES.values() if one.type_ == type_]
