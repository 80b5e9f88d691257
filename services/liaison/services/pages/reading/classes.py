"""Data classes, relations and conditions of the decision table in plain words, for whoever is told what is shared."""

from typing import Final

from liaison.auth.access.classes import Class
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Line, Table
from liaison.services.pages.marking import Gettext, _

CLASSES: Final = {
    Class.ADM: _("l'identité"),
    Class.FILE: _("les proches et la couverture sociale"),
    Class.COORD: _("le plan, les tâches et les notes de liaison"),
    Class.TEAM: _("l'équipe"),
    Class.APPT: _("les rendez-vous"),
    Class.SAFETY: _("« À savoir »"),
    Class.ALERT: _("les alertes"),
    Class.PROCHES: _("le carnet partagé avec les proches"),
    Class.VITAL: _("les mesures"),
    Class.CLIN: _("les problèmes de santé et les comptes rendus"),
    Class.MEDS: _("les traitements"),
    Class.ALLERGY: _("les allergies"),
    Class.LAB: _("les analyses"),
    Class.SYNTH: _("les synthèses"),
    Class.CLINSOC: _("ce que les soignants ont marqué pour le suivi social"),
    Class.STAY: _("les consultations et les séjours"),
    Class.ETP: _("l'éducation thérapeutique"),
    Class.SOC: _("la situation sociale"),
    Class.HOMEPLAN: _("le plan d'aide à domicile"),
    Class.PSY: _("la psychiatrie"),
    Class.SENS: _("ce qui est le plus sensible (VIH, addictions, violences)"),
    Class.MINOR: _("le secret d'un mineur"),
    Class.NOTE3P: _("ce qu'un tiers a confié"),
    Class.PROT: _("un signalement de maltraitance"),
    Class.AUD: _("les traces d'accès"),
    Class.CONSENT: _("les accords et les oppositions"),
    Class.MASKED: _("ce qui est masqué"),
    Class.HELD: _("un résultat qui attend d'être annoncé"),
}
RELATIONS: Final = {
    Relation.SELF: _("la personne elle-même"),
    Relation.REPRESENTED: _("représente la personne"),
    Relation.CALL: _("répond à un appel la concernant"),
    Relation.TEAM: _("membre de son équipe"),
    Relation.DELEG: _("agit pour un membre de l'équipe"),
    Relation.CONSENT: _("désigné par la personne dans un accord"),
    Relation.REFERRAL: _("demande de soins acceptée"),
    Relation.EMERGENCY: _("accès d'urgence ouvert"),
    Relation.AUTHOR: _("a ouvert le dossier"),
    Relation.STAY: _("séjour ou consultation en cours, et 24 heures"),
    Relation.TOUR: _("passage prévu dans la tournée"),
    Relation.OFFICE: _("contrôle des accès"),
    Relation.STRUCTURE: _("son service est dans l'équipe"),
}
WHENS: Final = {
    "informed": _("si la personne en a été informée"),
    "mental-health": _("dans la sous-équipe de santé mentale"),
    "attending": _("comme médecin traitant"),
}
WHOSE: Final = {
    "all": "",
    "own": _("ce qu'il a écrit lui-même"),
    "service": _("ce que son service a écrit"),
    "addressed": _("ce qui lui est adressé, ou à son service"),
    "addressed-in-person": _("ce qui lui est adressé en personne"),
}
_ADDED: Final = Class.MASKED | Class.HELD | Class.NOTE3P | Class.CONSENT


def in_words(classes: int, gettext: Gettext) -> list[str]:
    """Each class that the mask holds, in the order in which people think of them."""
    return [gettext(words) for one, words in CLASSES.items() if classes & one]


def read_in_the_team(table: Table, role: str, *, informed: bool = True) -> Class:
    """What a role reads of anyone's entries as a member of the team; what is read on conditions of a person or an item
    is left out, save that the person was informed."""
    found = Class(0)
    for line in table.for_role(role):
        if Relation.TEAM in line.relations and line.of == "all" and _holds(line, informed=informed):
            found |= line.read
    return found & ~_ADDED


def _holds(line: Line, *, informed: bool) -> bool:
    return not line.when - ({"informed"} if informed else frozenset())


def is_health(role: str) -> bool:
    """Whether R.1110-2 counts the role among health professionals (1°); others who may share are of the second list."""
    return role in ROLES and ROLES[role].category in ("health", "delegate")


BY_CONSENT: Final = _("ce que la personne a désigné")
BY_DELEGATION: Final = _("ce que lit et écrit la personne pour qui l'on agit")
