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
    name = birth_name(patient)
    given = next((one for one in name.get("given") or () if isinstance(one, str)), "")
    return Traits(
        normalise(str(name.get("family", ""))),
        normalise(given),
        str(patient.get("birthDate", "")),
        str(patient.get("gender", "")),
        _birthplace(patient),
    )


def strict_traits(patient: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a checked identity does not change by itself: the traits, whatever could be taken for the name of birth, with its use,
    its dates and the list of birth given names, and the place of birth in all that it says. As it is compared."""
    names = [one for one in patient.get("name") or () if one.get("use") not in _BESIDE] or patient.get("name") or ()
    places = [one for one in patient.get("extension") or () if one.get("url") == BIRTHPLACE]
    return (
        traits_of(patient),
        tuple(_compared({part: one[part] for part in _of_a_name(one)}) for one in names),
        tuple(_compared(one) for one in places),
    )


_BESIDE: Final = frozenset({"usual", "nickname", "anonymous", "temp", "old"})
"""Uses of a name beside that of birth: they change freely, where another name stands."""
_OF_A_NAME: Final = ("use", "text", "family", "_family", "given", "_given", "period", "extension")
_IN_WORDS: Final = frozenset({"family", "given", "valueString", "city", "district", "state", "text", "line"})


def _of_a_name(name: Mapping[str, Any]) -> list[str]:
    """The text of a name is only what it is called where there is no family name to say it."""
    return [part for part in _OF_A_NAME if part in name and (part != "text" or "family" not in name)]


def _compared(node: Any, name: str = "") -> Any:
    """The content in a shape that compares: names as `normalise` has them, an INSEE code in either of its systems."""
    if isinstance(node, Mapping):
        if node.get("url") == _INSEE:
            return _INSEE, str((node.get("valueCoding") or {}).get("code", ""))
        return tuple((key, _compared(node[key], key)) for key in sorted(node) if key != "id")
    if isinstance(node, list):
        return tuple(_compared(one, name) for one in node)
    return normalise(node) if name in _IN_WORDS and isinstance(node, str) else node


def stated_name(patient: Mapping[str, Any]) -> tuple[str, str]:
    """(family, given) as written, of the name that the traits come from."""
    name = birth_name(patient)
    return str(name.get("family", "")), next((one for one in name.get("given") or () if isinstance(one, str)), "")


def birth_name(patient: Mapping[str, Any]) -> Mapping[str, Any]:
    """The name that is matched and that pages show as that of birth; {} where none says a family name.

    FR Core calls it `official`; other software calls so the one that a marriage changed, and writes this one `maiden`. By no
    clock: of several, one that says no end, since the name of birth has none.
    """
    names = [one for one in patient.get("name") or () if one.get("family") or one.get("text")]
    lasting = [one for one in names if one.get("use") != "old" and not (one.get("period") or {}).get("end")]
    own = [one for one in lasting if one.get("use") not in _BESIDE]
    ordered = (
        *(one for one in names if one.get("use") == "maiden"),
        *(one for one in lasting if one.get("use") == "official"),
        *own,
        *(one for one in names if one.get("use") == "official"),
        *lasting,
        *names,
    )
    return next(iter(ordered), {})


def _birthplace(patient: Mapping[str, Any]) -> str:
    """The INSEE code, whichever of the two published systems it is given in."""
    for extension in patient.get("extension") or ():
        if extension.get("url") == BIRTHPLACE:
            for inner in (extension.get("valueAddress") or {}).get("extension") or ():
                if inner.get("url") == _INSEE:
                    return str((inner.get("valueCoding") or {}).get("code", ""))
    return ""
