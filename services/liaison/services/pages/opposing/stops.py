"""What an opposition stops, said before it is recorded: from what whoever records it may read, and nothing else."""

import asyncio
from datetime import datetime
from typing import Any, Final

from liaison.services.pages.clinician.alerts import alerts_of, told
from liaison.services.pages.clinician.dossier import coming, found
from liaison.services.pages.clinician.teams import members, teams_of
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.sentences import sentence
from liaison.services.pages.record import Record

Tree = dict[str, Any]

_OPEN: Final = "requested,received,accepted,in-progress,on-hold,ready"


ALWAYS: Final = {
    "all": (
        _("Plus aucun professionnel n'ouvre ce dossier, vous non plus. Ce qui est écrit reste, fermé."),
        _("Les alertes ne sont plus lues par personne ici : qui remarque un danger téléphone."),
        _("La tournée de l'aide à domicile ne montre plus la personne, ni ce qu'il faut savoir avant d'entrer."),
        _("L'accès d'urgence reste possible, sauf si elle le refuse aussi."),
    ),
    "one": (
        _("Cette personne n'ouvre plus le dossier, même en urgence, et ses remplaçants non plus."),
        _("Les alertes qui lui sont adressées ne sont plus lues par elle."),
    ),
    "service": (
        _("Plus personne de ce service n'ouvre le dossier, même en urgence."),
        _("Les passages de ce service se font sans rien savoir, et ses alertes n'arrivent plus."),
    ),
    "emergency": (
        _("Si elle ne peut pas s'exprimer et court un danger, aucun professionnel n'ouvre son dossier."),
        _("Son équipe continue de le lire comme avant."),
    ),
}


_OWN_FILE: Final = _(
    "Plus aucun professionnel n'ouvre ce dossier. Ce qui est écrit reste, et vous continuez de le lire."
)
TO_WHOM: Final[dict[str, dict[str, str]]] = {
    "guardian": {ALWAYS["all"][0]: _OWN_FILE},
    "patient": {
        ALWAYS["all"][0]: _OWN_FILE,
        ALWAYS["all"][2]: _(
            "La tournée de l'aide à domicile ne vous montre plus, ni ce qu'il faut savoir avant d'entrer chez vous."
        ),
        ALWAYS["all"][3]: _("L'accès d'urgence reste possible, sauf si vous le refusez aussi."),
        ALWAYS["emergency"][0]: _(
            "Si vous ne pouvez pas vous exprimer et courez un danger, aucun professionnel n'ouvre votre dossier."
        ),
        ALWAYS["emergency"][1]: _("Votre équipe continue de le lire comme avant."),
    },
}
"""By role, what is said in other words to whoever goes on reading the record: the person, and who represents them."""


async def what_stops(record: Record, patient: str, act: str, target: str, role: str, gettext: Gettext) -> list[str]:
    """Sentences, none twice: what always stops, then what that means in this record. `patient` and `target` are references,
    `role` is that of the reader."""
    words = TO_WHOM.get(role, {})
    said = [gettext(words.get(text, text)) for text in ALWAYS[act]]
    if act == "emergency":
        return said
    said += await (_of_all(record, patient, gettext) if act == "all" else _of_one(record, patient, target, gettext))
    return list(dict.fromkeys(said))


def _within(text: str) -> str:
    """What somebody wrote, to stand within a sentence that ends by itself."""
    return text.rstrip(" .")


async def _of_all(record: Record, patient: str, gettext: Gettext) -> list[str]:
    mine = {"patient": patient, "_count": "100"}
    teams, plans, alerts, visits = await asyncio.gather(
        teams_of(record, patient),
        found(record, "CarePlan", {**mine, "status": "active"}),
        alerts_of(record, patient),
        found(record, "Appointment", {**mine, **_from(record.now())}, 100),
    )
    names = list(dict.fromkeys(name for team in teams for name, _role in members(team, record.now(), gettext)))
    said = []
    if names:
        said.append(gettext(_("N'y auront plus accès : {names}.")).format(names=", ".join(names)))
    said += [
        gettext(_("Plan arrêté en l'état : {plan}.")).format(plan=_within(sentence(plan, gettext))) for plan in plans
    ]
    said += [
        gettext(_("Alerte en cours qui ne sera plus lue : {alert}.")).format(
            alert=_within(told(task, record.now(), gettext).text)
        )
        for task in alerts
    ]
    return said + _visits(visits, record.now(), gettext)


async def _of_one(record: Record, patient: str, target: str, gettext: Gettext) -> list[str]:
    mine = {"patient": patient, "_count": "100"}
    steps, visits = await asyncio.gather(
        found(record, "Task", {**mine, "owner": target, "status": _OPEN}, 100),
        found(record, "Appointment", {**mine, "actor": target, **_from(record.now())}, 100),
    )
    said = [
        gettext(_("N'est plus suivi par la personne qui en est chargée : {step}.")).format(
            step=_within(sentence(step, gettext))
        )
        for step in steps
    ]
    return said + _visits(visits, record.now(), gettext)


def _from(now: datetime) -> dict[str, str]:
    return {"date": f"ge{now.date().isoformat()}"}


def _visits(visits: list[Tree], now: datetime, gettext: Gettext) -> list[str]:
    count = len(coming(visits, now))
    if not count:
        return []
    return [gettext(_("Rendez-vous et passages prévus qui ne seront plus préparés : {count}.")).format(count=count)]
