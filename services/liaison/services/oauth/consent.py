"""What a grant means, in plain words: which data, to do what, for how long. French source; English in the catalogue."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from liaison.auth.oauth2.rfc6749.refresh_tokens import lifetime
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


READING: Final = "rs"
WRITING: Final = "cud"
IDENTITY: Final = "identity"
LASTING: Final = "lasting"
_OPENID: Final = ("openid", "fhirUser", "profile")
_LASTING: Final = ("offline_access", "online_access")


class Line(NamedTuple):
    """One line of the consent page, with a box of its own: which data, and what the software may do with them."""

    value: str
    data: str
    acts: str


def lines(scopes: Scopes, gettext: Gettext) -> list[Line]:
    """Every permission asked for, reading and changing apart; nothing is left out because it has no pretty name."""
    return [
        Line(f"{place}.{letters}", _data(scope, gettext), _acts(scope, letters, gettext))
        for place, scope in enumerate(scopes.scopes)
        for letters in (READING, WRITING)
        if set(letters) & set(scope.letters)
    ]


def chosen(asked: Scopes, boxes: Collection[str]) -> Scopes:
    """What is left of a request when only these boxes stay ticked; never more than was asked. What an app needs to
    hear whom and what is meant (`launch`, `launch/patient`, `launch/encounter`) is no permission, and has no box."""
    kept = []
    for place, scope in enumerate(asked.scopes):
        wanted = "".join(letters for letters in (READING, WRITING) if f"{place}.{letters}" in boxes)
        letters = "".join(letter for letter in scope.letters if letter in wanted)
        if letters:
            kept.append(Scope(scope.context, scope.type_, letters, scope.criteria))
    refused = [*(() if IDENTITY in boxes else _OPENID), *(() if LASTING in boxes else _LASTING)]
    return Scopes(kept, asked.names.difference(refused))


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


def _acts(scope: Scope, within: str, gettext: Gettext) -> str:
    held = set(scope.letters) & set(within)
    return ", ".join(gettext(text) for letters, text in _ACTS if set(letters) & held)


def until(scopes: Scopes, now: datetime) -> datetime | None:
    """The last moment at which the software can act if it keeps its access without asking again; None when it cannot,
    and has five minutes."""
    seconds = lifetime(str(scopes))
    return now + timedelta(seconds=seconds) if seconds else None


def outlasting(scopes: Scopes) -> bool:
    """Whether that goes on when the person has signed out."""
    return "offline_access" in scopes.names
