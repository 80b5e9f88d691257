"""What rights derive from, in the shapes that liaison.auth reads: roles, links between people, bases, labels.

The codes are those of liaison.auth.access.vocabulary; here stand only the French words that people read beside them.
"""

from datetime import date, datetime
from typing import Final

from liaison.auth.access import vocabulary
from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, moment

ROLE_NAMES: Final = {
    "gp": "Médecin généraliste",
    "specialist": "Médecin spécialiste",
    "hospital-doctor": "Médecin hospitalier",
    "nurse": "Infirmier",
    "physio": "Kinésithérapeute",
    "pharmacist": "Pharmacien",
    "substitute": "Médecin remplaçant",
    "trainee": "Interne en stage",
    "on-call-doctor": "Médecin de garde",
    "regulating-doctor": "Médecin régulateur",
    "call-handler": "Opérateur de la plateforme",
    "patient-educator": "Patient intervenant",
    "secretary": "Secrétaire médicale",
    "home-aide": "Aide à domicile",
    "home-service-manager": "Responsable de secteur",
    "social-worker": "Assistant de service social",
    "coordinator": "Coordinateur de parcours",
    "coordinator-admin": "Coordinateur administratif",
    "referent": "Référent de la structure",
    "auditor": "Auditeur des accès",
    "dpo": "Délégué à la protection des données",
    "admin": "Administrateur",
}
_FEMININE: Final = {
    "nurse": "Infirmière",
    "pharmacist": "Pharmacienne",
    "coordinator": "Coordinatrice de parcours",
    "social-worker": "Assistante de service social",
    "call-handler": "Opératrice de la plateforme",
    "auditor": "Auditrice des accès",
    "referent": "Référente de la structure",
    "substitute": "Médecin remplaçante",
}


def role_name(code: str, gender: str) -> str:
    """What someone is called in that role."""
    return (_FEMININE.get(code) if gender == "female" else None) or ROLE_NAMES[code]


def role(code: str) -> Tree:
    return coding(vocabulary.ROLE, code, ROLE_NAMES[code])


def acts_for(reference: Tree) -> Tree:
    """On the PractitionerRole of a substitute, trainee or secretary: for whom they act, within its period."""
    return {"url": vocabulary.ACTS_FOR, "valueReference": reference}


def legal_basis(code: str) -> Tree:
    """On CareTeam.participant: why this person is of the team (CSP L.1110-12)."""
    return {"url": vocabulary.LEGAL_BASIS, "valueCode": code}


def informed_on(day: date | datetime) -> Tree:
    """On CareTeam.participant: when the person was told of this recipient (CSP R.1110-3)."""
    return {"url": vocabulary.INFORMED, "valueDateTime": moment(day)}


def representation(measure: str, seen_by: Tree, seen_on: date) -> Tree:
    """On RelatedPerson: the measure, and the named staff member who saw the judgment."""
    return {
        "url": vocabulary.REPRESENTATION,
        "extension": [
            {"url": "measure", "valueCode": measure},
            {"url": "seenBy", "valueReference": seen_by},
            {"url": "seenOn", "valueDate": moment(seen_on)},
        ],
    }


def data_class(code: str, display: str = "") -> Tree:
    """A class set by hand, on meta.security."""
    return coding(vocabulary.DATA_CLASS, code, display)


PSYCHIATRY: Final = data_class("PSY", "Psychiatrie")
SENSITIVE: Final = data_class("SENS", "Donnée sensible")
SOCIAL: Final = data_class("SOC", "Situation sociale")
SAFETY: Final = data_class("SAFETY", "À savoir")
THIRD_PARTY: Final = data_class("NOTE3P", "Information donnée par un tiers")
CARE_TEAM_KINDS: Final = {"mental-health": coded(vocabulary.CARE_TEAM, "mental-health", "Équipe de santé mentale")}
ATTENDING: Final = coded(systems.CIRCLE_ROLE, "PCP", "Médecin traitant")
