"""The roles of the access policy (domain notes §1.1) and how the directory's codes map to them.

PractitionerRole.code is read so: a coding of vocabulary.ROLE decides, alone; otherwise the profession (TRE_G15), with the
specialty (TRE_R38) and the mode of practice (TRE_R23) for doctors. A PractitionerRole without any of these has no role,
and gives nobody a right. `substitute`, `trainee` and `secretary` also need the ACTS_FOR extension and a dated period.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose

Category = Literal["health", "psychologist", "social", "coordination", "delegate", "person", "control", "none"]


@dataclass(frozen=True, slots=True)
class Role:
    """`category` as in R.1110-2 CSP: 1° health, 2° the closed list; `none` is in no category, and sees no individual data
    but for the call that a call handler has received (row 13); a patient educator is told first names (row 20b). `referent` manages the people of one structure, and is
    a role beside whatever else that person does there (liaison.auth.people.managers).

    `purpose` is that of an ordinary session. `emergency`: break-glass is offered to it (rules 6 and 11). `registers`:
    it may bring a person in by $register and $join. `calls`: it answers the telephone platform (rules 12 and 13).
    """

    code: str
    category: Category
    purpose: Purpose
    doctor: bool = False
    emergency: bool = False
    registers: bool = False
    calls: bool = False


def _health(code: str, *, doctor: bool = False, emergency: bool = False, calls: bool = False) -> Role:
    return Role(code, "health", Purpose.TREAT, doctor, emergency, registers=True, calls=calls)


_ALL: Final = (
    _health("gp", doctor=True, emergency=True),
    _health("specialist", doctor=True, emergency=True),
    _health("hospital-doctor", doctor=True, emergency=True),
    _health("on-call-doctor", doctor=True, emergency=True),
    _health("regulating-doctor", doctor=True, emergency=True, calls=True),
    _health("nurse", emergency=True),
    *(
        _health(code)
        for code in ("physio", "pharmacist", "midwife", "speech-therapist", "dietitian", "podiatrist", "ot", "dentist")
    ),
    _health("care-assistant"),
    Role("psychologist", "psychologist", Purpose.TREAT),
    Role("social-worker", "social", Purpose.COORD, registers=True),
    Role("home-aide", "social", Purpose.COORD),
    Role("home-service-manager", "social", Purpose.COORD, registers=True),
    Role("coordinator", "coordination", Purpose.COORD, registers=True),
    Role("coordinator-admin", "none", Purpose.HOPERAT),
    Role("referent", "none", Purpose.HOPERAT),
    Role("substitute", "delegate", Purpose.TREAT, registers=True),
    Role("trainee", "delegate", Purpose.TREAT),
    Role("secretary", "delegate", Purpose.COORD, registers=True),
    Role("call-handler", "none", Purpose.COORD, calls=True),
    Role("patient-educator", "none", Purpose.COORD),
    Role("patient", "person", Purpose.PATRQT),
    Role("guardian", "person", Purpose.PATRQT),
    Role("trusted-person", "person", Purpose.PATRQT),
    Role("caregiver", "person", Purpose.PATRQT),
    Role("auditor", "control", Purpose.HOPERAT),
    Role("dpo", "control", Purpose.HOPERAT),
    Role("admin", "control", Purpose.HOPERAT),
)

ROLES: Final[Mapping[str, Role]] = {role.code: role for role in _ALL}

OFFICERS: Final = frozenset({"auditor", "dpo"})
"""Who looks into the accesses of others (row 24)."""

_CONFIRMING: Final = frozenset({"health", "psychologist", "social", "coordination"})
_SPEAKS_AS: Final = {"home-aide": False, "substitute": True}
"""Whom the category alone would put on the wrong side: a substitute is of a health profession, an aide records and does not confirm."""


def confirms(code: str) -> bool:
    """Whether this role is of the health or social professionals who confirm what the person wished: an opposition that
    another recorded is provisional until one of them has."""
    role = ROLES.get(code)
    return role is not None and _SPEAKS_AS.get(code, role.category in _CONFIRMING)


_PROFESSIONS: Final = {
    "21": "pharmacist",
    "40": "dentist",
    "50": "midwife",
    "60": "nurse",
    "69": "nurse",
    "70": "physio",
    "80": "podiatrist",
    "91": "speech-therapist",
    "93": "psychologist",
    "94": "ot",
    "95": "dietitian",
}
_DOCTOR: Final = "10"
_GENERAL_PRACTICE: Final = frozenset({"SM53", "SM54"})


def profession_of(code: str) -> str:
    """The profession by which the holder of this role may be replaced: one word for all doctors, else the role itself; ''
    for a role that is no health profession."""
    role = ROLES.get(code)
    return "" if role is None or role.category != "health" else "doctor" if role.doctor else code


def profession_codes(profession: str) -> tuple[str, ...]:
    """Its codes in TRE_G15, the one to write first; () for a care assistant, who has none there."""
    return (
        (_DOCTOR,) if profession == "doctor" else tuple(sorted(c for c, r in _PROFESSIONS.items() if r == profession))
    )


def qualified_professions(practitioner: Mapping[str, Any]) -> frozenset[str]:
    """What the Practitioner's qualifications say, by their code of TRE_G15. One that has an end says nothing: no clock
    would end what follows from it. Nor does anyone who is not active."""
    if practitioner.get("active") is False:
        return frozenset()
    stated = [
        one.get("code") or {}
        for one in practitioner.get("qualification", ())
        if not (one.get("period") or {}).get("end")
    ]
    found = _codes(stated, vocabulary.PROFESSION)
    return frozenset("doctor" if code == _DOCTOR else _PROFESSIONS.get(code, "") for code in found) - {""}


def _codes(concepts: Iterable[Mapping[str, Any]], system: str) -> list[str]:
    return [
        coding["code"]
        for concept in concepts
        for coding in concept.get("coding", ())
        if coding.get("system") == system and isinstance(coding.get("code"), str)
    ]


def role_codes(practitioner_role: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles that one PractitionerRole states, sorted; () when it states none that the policy knows.

    `attending-gp` is a fact of a patient's team, not a role: it counts as gp.
    """
    codes = practitioner_role.get("code", ())
    local = _codes(codes, vocabulary.ROLE)
    if local:
        return tuple(sorted({"gp" if code == "attending-gp" else code for code in local} & ROLES.keys()))
    found = set()
    for profession in _codes(codes, vocabulary.PROFESSION):
        if profession == _DOCTOR:
            found.add(_doctor(practitioner_role))
        elif profession in _PROFESSIONS:
            found.add(_PROFESSIONS[profession])
    return tuple(sorted(found))


def _doctor(practitioner_role: Mapping[str, Any]) -> str:
    if "S" in _codes(practitioner_role.get("code", ()), vocabulary.PRACTICE_MODE):
        return "hospital-doctor"
    specialties = set(_codes(practitioner_role.get("specialty", ()), vocabulary.SPECIALTY))
    return "gp" if not specialties or specialties & _GENERAL_PRACTICE else "specialist"
