"""What the roles are called on the pages. French source strings; English in the catalogue."""

from collections.abc import Callable, Iterator
from typing import Final

from liaison.auth.access.classes import Class, union
from liaison.auth.access.roles import ROLES, profession_of
from liaison.auth.access.table import Table
from liaison.services.pages.marking import _

ROLE_NAMES: Final = {
    "gp": _("Médecin généraliste"),
    "specialist": _("Médecin spécialiste"),
    "hospital-doctor": _("Médecin hospitalier"),
    "on-call-doctor": _("Médecin de garde"),
    "regulating-doctor": _("Médecin régulateur"),
    "nurse": _("Infirmier"),
    "physio": _("Kinésithérapeute"),
    "pharmacist": _("Pharmacien"),
    "midwife": _("Sage-femme"),
    "speech-therapist": _("Orthophoniste"),
    "dietitian": _("Diététicien"),
    "podiatrist": _("Pédicure-podologue"),
    "ot": _("Ergothérapeute"),
    "dentist": _("Chirurgien-dentiste"),
    "care-assistant": _("Aide-soignant"),
    "psychologist": _("Psychologue"),
    "social-worker": _("Assistant de service social"),
    "home-aide": _("Aide à domicile"),
    "home-service-manager": _("Responsable de secteur"),
    "coordinator": _("Coordinateur de parcours"),
    "coordinator-admin": _("Coordinateur administratif"),
    "substitute": _("Remplaçant"),
    "trainee": _("Interne en stage"),
    "secretary": _("Secrétaire médicale"),
    "call-handler": _("Opérateur de la plateforme"),
    "patient-educator": _("Patient intervenant"),
    "patient": _("Patient"),
    "guardian": _("Représentant légal"),
    "trusted-person": _("Personne de confiance"),
    "caregiver": _("Aidant"),
    "referent": _("Référent de la structure"),
    "auditor": _("Auditeur des accès"),
    "dpo": _("Délégué à la protection des données"),
    "admin": _("Administrateur"),
}


_SUBSTITUTES: Final = {
    "doctor": _("Médecin remplaçant"),
    "nurse": _("Infirmier remplaçant"),
    "physio": _("Kinésithérapeute remplaçant"),
    "pharmacist": _("Pharmacien remplaçant"),
    "midwife": _("Sage-femme remplaçante"),
    "speech-therapist": _("Orthophoniste remplaçant"),
    "dietitian": _("Diététicien remplaçant"),
    "podiatrist": _("Pédicure-podologue remplaçant"),
    "ot": _("Ergothérapeute remplaçant"),
    "dentist": _("Chirurgien-dentiste remplaçant"),
    "care-assistant": _("Aide-soignant remplaçant"),
}

_FEMININE: Final = {
    "nurse": _("Infirmière"),
    "regulating-doctor": _("Médecin régulatrice"),
    "pharmacist": _("Pharmacienne"),
    "dietitian": _("Diététicienne"),
    "care-assistant": _("Aide-soignante"),
    "social-worker": _("Assistante de service social"),
    "coordinator": _("Coordinatrice de parcours"),
    "coordinator-admin": _("Coordinatrice administrative"),
    "substitute": _("Remplaçante"),
    "call-handler": _("Opératrice de la plateforme"),
    "patient-educator": _("Patiente intervenante"),
    "patient": _("Patiente"),
    "guardian": _("Représentante légale"),
    "caregiver": _("Aidante"),
    "referent": _("Référente de la structure"),
    "auditor": _("Auditrice des accès"),
    "dpo": _("Déléguée à la protection des données"),
    "admin": _("Administratrice"),
}
"""What a woman is called, where that is another word. Who is not known to be one is called by the name of the role."""

_FEMININE_SUBSTITUTES: Final = {
    "doctor": _("Médecin remplaçante"),
    "nurse": _("Infirmière remplaçante"),
    "physio": _("Kinésithérapeute remplaçante"),
    "pharmacist": _("Pharmacienne remplaçante"),
    "speech-therapist": _("Orthophoniste remplaçante"),
    "dietitian": _("Diététicienne remplaçante"),
    "podiatrist": _("Pédicure-podologue remplaçante"),
    "ot": _("Ergothérapeute remplaçante"),
    "dentist": _("Chirurgienne-dentiste remplaçante"),
    "care-assistant": _("Aide-soignante remplaçante"),
}

_PROFESSION_NAMES: Final = {**ROLE_NAMES, "doctor": _("Médecin")}

RECEIVERS: Final = frozenset(code for code, role in ROLES.items() if role.registers)
"""Who may bring a person in: the menus and the reception desk ask here."""

CHECKERS: Final = frozenset(
    code
    for code, role in ROLES.items()
    if role.category in ("health", "psychologist", "social", "coordination", "delegate") and code != "home-aide"
)
"""Who may record that they saw a patient's identity, in the records that they see. Aides are at homes, not at a desk."""

TEAMED: Final = frozenset(code for code, role in ROLES.items() if role.category not in ("none", "control", "person"))
"""Who may be named in a person's care team, and those who stand in for them."""

MEMBERS: Final = frozenset(code for code in TEAMED if ROLES[code].category != "delegate")
"""Who is a member of a care team by being named in it; who stands in for one of them reads what that one reads, named or not."""

URGENT: Final = frozenset(code for code, role in ROLES.items() if role.emergency)
"""Whom emergency access is offered to (rule 6)."""

CALLED: Final = frozenset(code for code, role in ROLES.items() if role.calls)
"""Who answers the telephone platform (rules 12 and 13)."""

COORDINATORS: Final = frozenset({"coordinator", "nurse", "gp", "specialist", "substitute"})
"""Who follows a programme across structures."""

PLANNERS: Final = COORDINATORS | {"physio", "pharmacist", "hospital-doctor", "midwife", "dietitian"}
"""Who keeps the plan of one of their patients: applies a protocol, notes a step. Whether they may is decided by the table."""

CARING: Final = frozenset({"substitute", "trainee"}) | {
    code for code, role in ROLES.items() if role.category in ("health", "psychologist", "coordination")
}
"""Who is shown what the rules of a protocol say of a measure: clinicians and coordinators."""

EDUCATORS: Final = COORDINATORS | {"physio"}
"""Who plans and holds the sessions of an education programme."""

LISTERS: Final = EDUCATORS | {"secretary"}
"""Who keeps the lists of sessions: with a mandate, a secretary sees who comes, and nothing of why (row 10b)."""

MEETERS: Final = EDUCATORS | {"pharmacist", "hospital-doctor", "midwife", "psychologist", "dietitian", "social-worker"}
"""Who notes what a team meeting has decided."""


def writes(table: Table, role: str, class_: Class) -> bool:
    """Whether the table in force lets this role write the class for some patient: for showing a form or not. What
    happens to the form is decided by the engine."""
    return any(line.extent == "same" or line.write & class_ for line in table.for_role(role))


_CONTENT: Final = union(("COORD_ONLY", "SAFETY", "VITAL", "CLIN", "ETP", "SOC"))


def bare(table: Table, role: str) -> bool:
    """Whether the role reads nothing of what a record holds beside the identity, the appointments and the agreements (row
    10b): a page that told them « Rien n'est noté » would say what is not so."""
    return not any(line.extent != "classes" or line.read & _CONTENT for line in table.for_role(role))


def role_name(code: str, gettext: Callable[[str], str], stands_for: str = "", gender: str = "") -> str:
    """The name of a role in the reader's language; '' for none. `stands_for`: the role of the one replaced, if known, for a
    substitute is of that profession. `gender`: of whoever holds it (administrative-gender), if known."""
    names, substitutes = ROLE_NAMES, _SUBSTITUTES
    if gender == "female":
        names, substitutes = {**names, **_FEMININE}, {**substitutes, **_FEMININE_SUBSTITUTES}
    if code == "substitute" and (profession := profession_of(stands_for)):
        return gettext(substitutes[profession])
    return gettext(names[code]) if code in names else ""


def every_name() -> Iterator[str]:
    """Every role in French, a woman's and a substitute's too."""
    for names in (ROLE_NAMES, _SUBSTITUTES, _FEMININE, _FEMININE_SUBSTITUTES):
        yield from names.values()


def profession_name(profession: str, gettext: Callable[[str], str]) -> str:
    """That of roles.profession_of."""
    return gettext(_PROFESSION_NAMES[profession])
