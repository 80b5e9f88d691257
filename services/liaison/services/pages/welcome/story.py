"""A year and a half of somebody with BPCO, as the sandbox's guided tour: who does what, in order, on pages and over FHIR.

The visitor plays it on a record of their own making; tests/services/sandbox/test_story.py plays the same chapters and sends the same
calls. French source strings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from liaison.protocols import codes
from liaison.services.pages.marking import _

Tree = dict[str, Any]
People = Mapping[str, Mapping[str, Any]]
"""What sandbox.json says of each of the people, by key."""

FAMILY: Final = "KERGOAT"
GIVEN: Final = "Armelle"
BIRTH: Final = date(1953, 5, 12)
PATIENT: Final = "NUMÉRO-DU-DOSSIER"
"""Stands in a call where the number of the record goes: the last part of its address."""
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_SUBJECT: Final = {"reference": f"Patient/{PATIENT}"}


@dataclass(frozen=True, slots=True)
class Call:
    """A resource that the software of the person behind `door` creates."""

    door: str
    resource: Callable[[date, People], Tree]


@dataclass(frozen=True, slots=True)
class Chapter:
    """`door` is whose pages it happens on, as in DOORS."""

    key: str
    door: str
    title: str
    steps: tuple[str, ...]
    calls: tuple[Call, ...] = ()


def _at(today: date, days: int, hour: int = 10) -> str:
    return f"{(today - timedelta(days=days)).isoformat()}T{hour:02}:00:00Z"


def _condition(days: int, code: str, text: str, verified: str) -> Callable[[date, People], Tree]:
    return lambda today, _people: {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-ver-status", "code": verified}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}], "text": text},
        "subject": _SUBJECT,
        "recordedDate": _at(today, days),
    }


def _spirometry(today: date, _people: People) -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "20152-5"}], "text": "VEMS après bronchodilatateur, en % de la valeur prédite"},
        "subject": _SUBJECT,
        "effectiveDateTime": _at(today, 525),
        "valueQuantity": {"value": 46, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }  # fmt: skip


def _line_of_the_tour(today: date, people: People) -> Tree:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "serviceType": [{"coding": [{"system": codes.HOME_CARE, "code": "visit", "display": "Visite à domicile"}]}],
        "description": "Toilette et repas de midi",
        "start": _at(today, 0, 1),
        "end": _at(today, 0, 21),
        "participant": [
            {"actor": _SUBJECT, "status": "accepted"},
            {"actor": {"reference": people["aide"]["practitioner_role"]}, "status": "accepted"},
        ],
    }


def _stay(today: date, people: People) -> Tree:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": "IMP"},
        "subject": _SUBJECT,
        "period": {"start": _at(today, 15, 18), "end": _at(today, 9, 11)},
        "reasonCode": [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J44.1"}], "text": "Exacerbation de BPCO"}],
        "serviceProvider": {"reference": people["hospital_doctor"]["organization"]},
    }  # fmt: skip


STORY: Final = (
    Chapter(
        "suspected",
        "gp",
        _("Il y a dix-huit mois : le médecin pense à une BPCO"),
        (
            _("Sous « Accueillir », ouvrez le dossier d’Armelle Kergoat, avec son équipe : l’infirmière Maëlle Tanguy, la coordinatrice Gwenola Riou, la pneumologue de l’hôpital et le service d’aide à domicile."),
            _("Notez la suspicion par votre logiciel, puis appliquez « Suivi de la BPCO » depuis son plan : l’aperçu d’abord, puis de vraies dates, à de vraies personnes. La spirométrie est à faire."),
        ),
        (Call("gp", _condition(548, "J44.9", "BPCO, suspicion", "provisional")),),
    ),
    Chapter(
        "spirometry",
        "coordinator",
        _("Trois semaines plus tard : la spirométrie, à l’hôpital"),
        (
            _("La pneumologue envoie la mesure de son logiciel : VEMS à 46 %."),
            _("Dans la cohorte, ouvrez l’étape « Spirométrie » d’Armelle Kergoat et dites qu’elle est faite, à sa vraie date : une étape en retard s’achève toujours."),
        ),
        (Call("hospital_doctor", _spirometry),),
    ),
    Chapter(
        "educated",
        "coordinator",
        _("Les mois suivants : l’éducation thérapeutique"),
        (
            _("Notez son accord pour le programme dans « Accords et oppositions », puis appliquez « Éducation thérapeutique BPCO » depuis son plan."),
            _("Sous « Séances », préparez l’atelier 1 à une date passée : elle y est proposée. Inscrivez-la, notez-la présente, et un objectif atteint."),
        ),
    ),
    Chapter(
        "breathless",
        "aide",
        _("Il y a peu : l’aide à domicile la trouve plus essoufflée"),
        (
            _("La responsable du service met la visite dans la tournée de Sylvie Le Dantec."),
            _("Enregistrez la visite : moins bien que d’habitude, souffle plus court, crachats nouveaux. L’alerte part à l’infirmière et au médecin."),
        ),
        (Call("home_service_manager", _line_of_the_tour),),
    ),
    Chapter(
        "answered",
        "nurse",
        _("Dans l’heure : l’alerte a sa réponse"),
        (
            _("Ouvrez le dossier d’Armelle Kergoat et répondez « J’ai vu » avec une consigne : elle revient à l’aide, sous « On vous répond »."),
        ),
    ),
    Chapter(
        "exacerbated",
        "coordinator",
        _("C’est une exacerbation : le programme s’arrête un temps"),
        (
            _("Le médecin la note de son logiciel."),
            _("Depuis son plan, suspendez l’éducation thérapeutique avec ce motif : personne n’y est plus en retard."),
        ),
        (Call("gp", _condition(16, "J44.1", "Exacerbation de BPCO", "confirmed")),),
    ),
    Chapter(
        "stayed",
        "gp",
        _("Le séjour à l’hôpital"),
        (
            _("Le service de pneumologie dit l’entrée et la sortie. Dans son dossier, « Depuis votre dernier passage » vous le montre."),
        ),
        (Call("hospital_doctor", _stay),),
    ),
    Chapter(
        "visited",
        "nurse",
        _("Au retour : la visite des sept jours"),
        (
            _("Appliquez « Retour de l’hôpital après une exacerbation de BPCO » : les sept jours se comptent depuis la sortie."),
            _("Dans son plan, ouvrez l’étape « Réévaluation dans les 7 jours » et dites qu’elle est faite, à sa vraie date."),
        ),
    ),
    Chapter(
        "resumed",
        "coordinator",
        _("Le programme reprend"),
        (
            _("Depuis son plan, reprenez l’éducation thérapeutique : ce qui restait est à faire, plus tard d’autant de jours."),
            _("Entrez comme Dr Guillemot : les trois plans, les étapes faites et à faire sont sur une seule page."),
        ),
    ),
)  # fmt: skip
