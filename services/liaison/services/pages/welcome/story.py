"""A year and a half of somebody with BPCO, as the sandbox's guided tour: who does what, in order, on pages, and over FHIR what no page
says.

The visitor plays it on a record of their own making; tests/services/sandbox/test_story.py plays the same chapters and sends the same
call. French source strings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

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
    """`doors` are those whose pages it happens on, in order, as in DOORS."""

    key: str
    doors: tuple[str, ...]
    title: str
    steps: tuple[str, ...]
    calls: tuple[Call, ...] = ()


def _at(today: date, days: int, hour: int = 10) -> str:
    return f"{(today - timedelta(days=days)).isoformat()}T{hour:02}:00:00Z"


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
        ("gp",),
        _("Il y a dix-huit mois : le médecin pense à une BPCO"),
        (
            _("Sous « Accueillir », ouvrez le dossier d’Armelle Kergoat, avec son équipe : l’infirmière Maëlle Tanguy, la coordinatrice Gwenola Riou, la pneumologue de l’hôpital et le service d’aide à domicile."),
            _("Dans son dossier, sous « Noter un problème de santé », notez une BPCO à confirmer. Appliquez « Suivi de la BPCO » depuis son plan : l’aperçu d’abord, puis de vraies dates, à de vraies personnes. La spirométrie est à faire."),
        ),
    ),
    Chapter(
        "spirometry",
        ("hospital_doctor", "coordinator"),
        _("Trois semaines plus tard : la spirométrie, à l’hôpital"),
        (
            _("La pneumologue ouvre le dossier et, dans « Mesures », ajoute le VEMS : 46 %, au jour où elle l’a mesuré."),
            _("Dans la cohorte, la coordinatrice ouvre le plan d’Armelle Kergoat, puis l’étape « Spirométrie de confirmation », et dit qu’elle est faite, à sa vraie date."),
        ),
    ),
    Chapter(
        "educated",
        ("coordinator",),
        _("Les mois suivants : l’éducation thérapeutique"),
        (
            _("Notez son accord pour le programme dans « Accords et oppositions », puis appliquez « Éducation thérapeutique BPCO » depuis son plan."),
            _("Sous « Séances », préparez l’atelier 1 à une date passée : elle y est proposée. Inscrivez-la, notez-la présente, et un objectif atteint."),
        ),
    ),
    Chapter(
        "breathless",
        ("home_service_manager", "aide"),
        _("Il y a peu : l’aide à domicile la trouve plus essoufflée"),
        (
            _("Sous « Le service » puis « Les tournées », la responsable du service ajoute une visite d’aujourd’hui, pour Sylvie Le Dantec."),
            _("Sylvie Le Dantec enregistre la visite : moins bien que d’habitude, souffle plus court et, sous « Autre chose à dire », crachats nouveaux. L’alerte est adressée à l’infirmière, et le médecin la voit."),
        ),
    ),
    Chapter(
        "answered",
        ("nurse",),
        _("Dans l’heure : l’alerte a sa réponse"),
        (
            _("Ouvrez le dossier d’Armelle Kergoat et répondez « J’ai vu » avec une consigne : elle revient à l’aide, sous « On vous répond »."),
        ),
    ),
    Chapter(
        "exacerbated",
        ("gp", "coordinator"),
        _("C’est une exacerbation : le programme s’arrête un temps"),
        (
            _("Le médecin la note dans son dossier, sous « Noter un problème de santé »."),
            _("La coordinatrice suspend, depuis son plan, l’éducation thérapeutique avec ce motif : personne n’y est plus en retard."),
        ),
    ),
    Chapter(
        "stayed",
        ("gp",),
        _("Le séjour à l’hôpital"),
        (
            _("Le logiciel de l’hôpital dit l’entrée et la sortie : tapez pour lui la commande ci-dessous. Dans son dossier, « Depuis votre dernier passage » vous le montre."),
        ),
        (Call("hospital_doctor", _stay),),
    ),
    Chapter(
        "visited",
        ("nurse",),
        _("Au retour : la visite des sept jours"),
        (
            _("Appliquez « Retour de l’hôpital après une exacerbation de BPCO » : les sept jours se comptent depuis la sortie."),
            _("Dans son plan, ouvrez l’étape « Réévaluation dans les 7 jours » et dites qu’elle est faite, à sa vraie date."),
        ),
    ),
    Chapter(
        "resumed",
        ("coordinator", "gp"),
        _("Le programme reprend"),
        (
            _("La coordinatrice reprend, depuis son plan, l’éducation thérapeutique : ce qui restait est à faire, plus tard d’autant de jours."),
            _("Pour le Dr Guillemot, les trois plans, les étapes faites et à faire sont sur une seule page."),
        ),
    ),
)  # fmt: skip
