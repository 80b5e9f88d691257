"""The strict traits of an identity (RNIV): birth name, first given name, birth date, sex, birthplace (INSEE code)."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from liaison.fhir.store.identity import normalise

BIRTHPLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_INSEE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"


class Traits(NamedTuple):
    """As they are compared: names in capital letters A to Z; '' for what is missing."""

    family: str
    given: str
    birth_date: str
    sex: str
    birthplace: str

    @property
    def complete(self) -> bool:
        return all(self)

    @property
    def searchable(self) -> bool:
        """Enough for a look-up: everything but the birthplace, which is often not known at first."""
        return all(self[:4])

    def same_as(self, other: "Traits") -> bool:
        """Every trait equal; a birthplace that one of the two lacks is not held against them."""
        alike = self[:4] == other[:4]
        return alike and (self.birthplace == other.birthplace or not (self.birthplace and other.birthplace))


def traits_of(patient: Mapping[str, Any]) -> Traits:
    """The birth name is the official one; failing that, the first that has a family name."""
    name = _birth_name(patient)
    given = next((one for one in name.get("given") or () if isinstance(one, str)), "")
    return Traits(
        normalise(str(name.get("family", ""))),
        normalise(given),
        str(patient.get("birthDate", "")),
        str(patient.get("gender", "")),
        _birthplace(patient),
    )


def strict_traits(patient: Mapping[str, Any]) -> tuple[Traits, tuple[str, ...]]:
    """The traits, and every given name of birth, as they are compared: what a checked identity does not change by itself."""
    name = _birth_name(patient)
    return traits_of(patient), tuple(normalise(str(one)) for one in name.get("given") or ())


def stated_name(patient: Mapping[str, Any]) -> tuple[str, str]:
    """(family, given) as written, of the name that the traits come from."""
    name = _birth_name(patient)
    return str(name.get("family", "")), next((one for one in name.get("given") or () if isinstance(one, str)), "")


def _birth_name(patient: Mapping[str, Any]) -> Mapping[str, Any]:
    names = [name for name in patient.get("name") or () if isinstance(name.get("family"), str)]
    return next((one for one in names if one.get("use") == "official"), names[0] if names else {})


def _birthplace(patient: Mapping[str, Any]) -> str:
    """The INSEE code, whichever of the two published systems it is given in."""
    for extension in patient.get("extension") or ():
        if extension.get("url") == BIRTHPLACE:
            for inner in (extension.get("valueAddress") or {}).get("extension") or ():
                if inner.get("url") == _INSEE:
                    return str((inner.get("valueCoding") or {}).get("code", ""))
    return ""
