"""What a grant means, in plain words: which data, to do what, for how long. French source; English in the catalogue."""

from collections.abc import Callable
from typing import Final, NamedTuple

from liaison.auth.oauth2.rfc6749.refresh_tokens import OFFLINE, lifetime
from liaison.auth.smart.grammar import Scope
from liaison.auth.smart.scopes import Scopes

Gettext = Callable[[str], str]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


_DATA: Final = {
    "*": _("Tout ce que vous pouvez voir vous-même"),
    "AllergyIntolerance": _("Allergies"),
    "Appointment": _("Rendez-vous"),
    "CarePlan": _("Plan de soins"),
    "CareTeam": _("Équipe de soins"),
    "Communication": _("Messages et notes de liaison"),
    "Condition": _("Maladies et problèmes de santé"),
    "Consent": _("Consentements et oppositions"),
    "DiagnosticReport": _("Comptes rendus d’examens"),
    "DocumentReference": _("Documents"),
    "Encounter": _("Consultations, visites et séjours"),
    "Goal": _("Objectifs"),
    "Immunization": _("Vaccinations"),
    "MedicationRequest": _("Prescriptions"),
    "MedicationStatement": _("Traitements en cours"),
    "Observation": _("Mesures et résultats"),
    "Organization": _("Annuaire des structures"),
    "Patient": _("Identité et coordonnées"),
    "Practitioner": _("Annuaire des professionnels"),
    "PractitionerRole": _("Annuaire des professionnels et de leurs exercices"),
    "Procedure": _("Actes réalisés"),
    "QuestionnaireResponse": _("Réponses aux questionnaires"),
    "RelatedPerson": _("Proches et représentants"),
    "ServiceRequest": _("Demandes d’examens et de soins"),
    "Task": _("Tâches et étapes du plan"),
}
_ACTS: Final = (
    ("rs", _("consulter")),
    ("c", _("ajouter")),
    ("u", _("modifier")),
    ("d", _("effacer")),
)
_CRITERIA: Final = {
    "vital-signs": _("seulement les constantes"),
    "laboratory": _("seulement les résultats de laboratoire"),
    "survey": _("seulement les questionnaires"),
}


class Line(NamedTuple):
    """One line of the consent page: which data, and what the software may do with them."""

    data: str
    acts: str


def lines(scopes: Scopes, gettext: Gettext) -> list[Line]:
    """Every permission asked for; nothing is left out because it has no pretty name."""
    return [Line(_data(scope, gettext), _acts(scope, gettext)) for scope in scopes.scopes]


def _data(scope: Scope, gettext: Gettext) -> str:
    if scope.type_ in _DATA:
        data = gettext(_DATA[scope.type_])
    else:
        data = gettext(_("Données de type {type}")).format(type=scope.type_)
    only = [
        next((gettext(text) for code, text in _CRITERIA.items() if value.endswith(code)), f"{name} = {value}")
        for name, value in sorted(scope.criteria)
    ]
    return f"{data} ({', '.join(only)})" if only else data


def _acts(scope: Scope, gettext: Gettext) -> str:
    return ", ".join(gettext(text) for letters, text in _ACTS if set(letters) & set(scope.letters))


def duration(scopes: Scopes, gettext: Gettext) -> str:
    """For how long the software keeps what is granted, counted from now."""
    seconds = lifetime(str(scopes))
    if seconds == OFFLINE:
        return gettext(_("Pendant 30 jours, même quand vous n’êtes pas là."))
    if seconds:
        return gettext(_("Pendant 4 heures au plus."))
    return gettext(_("Pendant 5 minutes, puis il devra vous redemander."))
