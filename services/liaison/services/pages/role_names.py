"""What the roles are called on the pages. French source strings; English in the catalogue."""

from collections.abc import Callable
from typing import Final

from liaison.auth.access.classes import Class
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import in_force


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


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
    "substitute": _("Médecin remplaçant"),
    "trainee": _("Interne en stage"),
    "secretary": _("Secrétaire médicale"),
    "call-handler": _("Opérateur de la plateforme"),
    "patient": _("Patient"),
    "guardian": _("Représentant légal"),
    "trusted-person": _("Personne de confiance"),
    "caregiver": _("Aidant"),
    "referent": _("Référent de la structure"),
    "auditor": _("Auditeur des accès"),
    "dpo": _("Délégué à la protection des données"),
    "admin": _("Administrateur"),
}


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

URGENT: Final = frozenset(code for code, role in ROLES.items() if role.emergency)
"""Whom emergency access is offered to (rule 6)."""

CALLED: Final = frozenset(code for code, role in ROLES.items() if role.calls)
"""Who answers the telephone platform (rules 12 and 13)."""

COORDINATORS: Final = frozenset({"coordinator", "nurse", "gp", "specialist", "substitute"})
"""Who follows a programme across structures."""


def writes(role: str, class_: Class) -> bool:
    """Whether the decision table lets this role write the class for some patient: for showing a form or not. What
    happens to the form is decided by the engine."""
    return any(line.extent == "same" or line.write & class_ for line in in_force().for_role(role))


def role_name(code: str, gettext: Callable[[str], str]) -> str:
    """The name of a role in the reader's language; '' for none."""
    return gettext(ROLE_NAMES[code]) if code in ROLE_NAMES else ""
