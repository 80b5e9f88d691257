"""The professional that Pro Santé Connect has recognised, and their exercices, as its userinfo states them.

SubjectNameID is the key (the national identifier, IDNPS): names and e-mail addresses are not. An RPPS number identifies
the person, not what they do today: that is in SubjectRefPro.exercices, of which a self-employed person may have several.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.auth.access.roles import ROLES, role_codes
from liaison.auth.people.pro_sante_connect.id_token import NotProven
from liaison.auth.people.roles import HeldRole

RPPS: Final = "https://rpps.esante.gouv.fr"
IDNPS: Final = "urn:oid:1.2.250.1.71.4.2.1"
_RPPS_PREFIX: Final = "8"
"""IDNPS = type of identifier (8 for RPPS) and the number (ANS, "structure de l'identifiant national")."""
_MOST: Final = 20
"""Structures of one exercice, and exercices, that are looked at."""
_LONGEST: Final = 120
_NEEDS_EXERCICE: Final = frozenset({"health", "psychologist"})


FINESS: Final = "https://finess.esante.gouv.fr"
SIRENE: Final = "https://sirene.fr"
IDNST: Final = "urn:oid:1.2.250.1.71.4.2.2"
_NUMBERS: Final = (
    ("numeroFinessSite", FINESS, "1"),
    ("numeroFinessetablissementJuridique", FINESS, "1"),
    ("numeroSiretSite", SIRENE, "3"),
    ("numeroSirenSite", SIRENE, "2"),
    ("identifiantTechniqueDeLaStructure", IDNST, ""),
)
"""Where an activity states a number of its structure, whose it is, and the digit before it in an IDNST."""


@dataclass(frozen=True, slots=True)
class Structure:
    """Where someone practises: what it is called there, and (system, value) under which a directory may know it."""

    name: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Exercice:
    """One way in which someone practises: the role codes of the policy that it stands behind, the code of the profession
    (TRE_G15), and its structures."""

    roles: frozenset[str]
    profession: str
    structures: tuple[Structure, ...]


@dataclass(frozen=True, slots=True)
class Professional:
    national_id: str
    exercices: tuple[Exercice, ...]

    @property
    def identifiers(self) -> tuple[tuple[str, str], ...]:
        """(system, value) under which a directory may know them."""
        found = [(IDNPS, self.national_id)]
        if self.national_id.startswith(_RPPS_PREFIX) and len(self.national_id) == 12:
            found.append((RPPS, self.national_id[1:]))
        return tuple(found)

    @property
    def roles(self) -> frozenset[str]:
        """Every role that one of the exercices stands behind."""
        return frozenset(code for one in self.exercices for code in one.roles)


def professional(userinfo: Mapping[str, Any]) -> Professional:
    """Raises NotProven without a national identifier. An exercice that cannot be read stands behind nothing."""
    number = userinfo.get("SubjectNameID")
    if not isinstance(number, str) or not (number.isascii() and number.isalnum() and 6 <= len(number) <= 40):
        raise NotProven("SubjectNameID")
    reference = userinfo.get("SubjectRefPro")
    stated = reference.get("exercices") if isinstance(reference, Mapping) else None
    listed = stated[:_MOST] if isinstance(stated, list) else []
    exercices = [_exercice(one) for one in listed if isinstance(one, Mapping)]
    return Professional(number, tuple(exercices))


def _exercice(stated: Mapping[str, Any]) -> Exercice:
    activities = stated.get("activities")
    read = [one for one in activities if isinstance(one, Mapping)] if isinstance(activities, list) else []
    modes = {str(one.get("codeModeExercice", "")) for one in read} or {""}
    found: set[str] = set()
    for mode in modes:
        found.update(role_codes(_as_role(stated, mode)))
    profession = stated.get("codeProfession")
    structures = tuple(map(_structure, read[:_MOST]))
    return Exercice(frozenset(found), profession[:_LONGEST] if isinstance(profession, str) else "", structures)


def _structure(activity: Mapping[str, Any]) -> Structure:
    def said(name: str) -> str:
        value = activity.get(name)
        return value.strip()[:_LONGEST] if isinstance(value, str) and value.strip().isprintable() else ""

    found = []
    for name, system, prefix in _NUMBERS:
        value = said(name)
        if value and value.isascii() and value.isalnum():
            found += [(system, value), *([(IDNST, f"{prefix}{value}")] if prefix else [])]
    return Structure(said("raisonSocialeSite") or said("enseigneCommercialeSite"), tuple(dict.fromkeys(found)))


def _as_role(stated: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """An exercice as the directory would write it, so that one table says what a profession is."""
    codes = [{"system": vocabulary.PROFESSION, "code": str(stated.get("codeProfession", ""))}]
    if mode:
        codes.append({"system": vocabulary.PRACTICE_MODE, "code": mode})
    skill = str(stated.get("codeSavoirFaire", ""))
    specialty = [{"coding": [{"system": vocabulary.SPECIALTY, "code": skill}]}] if skill else []
    return {"code": [{"coding": codes}], "specialty": specialty}


def attested(role: HeldRole, roles: frozenset[str]) -> bool:
    """Whether a role that the directory gives may be taken after a sign-in that stated these.

    A role of a health profession needs an exercice of that profession, so that someone who was struck off is nobody here
    before the directory knows it. One doctor's role is as good as another's: which, the directory says. Roles that are no
    profession (coordinator, auditor…) and those held for someone else are the directory's alone.
    """
    known = ROLES.get(role.role_code)
    if known is None:
        return False
    if known.category not in _NEEDS_EXERCICE or role.role_code == "care-assistant":
        return True
    if known.doctor:
        return any(ROLES[one].doctor for one in roles)
    return role.role_code in roles
