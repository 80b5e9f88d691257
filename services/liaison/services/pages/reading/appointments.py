"""An appointment in a line, and who does not come to it. http://hl7.org/fhir/R4/appointment.html"""

from typing import Any

from liaison.services.pages.marking import _
from liaison.services.pages.reading import people, rows
from liaison.services.pages.reading.concepts import Say, labels

Tree = dict[str, Any]


def told(appointment: Tree, say: Say = str) -> str:
    """'Kiné, venir à jeun, la personne a refusé'; '' where nothing has words."""
    what = str(appointment.get("description") or next(iter(labels(appointment.get("serviceType"))), ""))
    return ", ".join(
        filter(None, (what, str(appointment.get("patientInstruction") or ""), *refusals(appointment, say)))
    )


def asked(appointment: Tree, say: Say = str) -> str:
    """The one line for who goes: what was asked for this visit, that it is not sure, that somebody refused it."""
    what = str(appointment.get("patientInstruction") or appointment.get("comment") or "")
    line = ", ".join([what, *refusals(appointment, say)]) if what else told(appointment, say)
    return rows.framed(appointment, line or say(_("Rendez-vous")), say)


def refusals(appointment: Tree, say: Say = str) -> list[str]:
    answers = [_answer(one, say) for one in appointment.get("participant", []) if isinstance(one, dict)]
    return [one for one in answers if one]


def _answer(participant: Tree, say: Say) -> str:
    """What a participant answered, where it is not that they come. R4: `booked` may stand beside a refusal."""
    actor = participant.get("actor") or {}
    patient = str(actor.get("reference", "")).startswith("Patient/")
    who = say(_("la personne")) if patient else people.said(str(actor.get("display") or say(_("un participant"))), say)
    match participant.get("status"):
        case "declined":
            return say(_("{who} a refusé")).format(who=who)
        case "tentative":
            return say(_("{who} : à confirmer")).format(who=who)
    return ""
