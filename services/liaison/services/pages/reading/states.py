"""What a status makes of a fact: cancelled, not done, refuted, provisional. What is as it should be needs no word.

A Procedure that was not done, an appointment nobody came to or a diagnosis that was ruled out, told without its status,
would be told as the opposite of what was written.
"""

from datetime import datetime
from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import Say, codes, label, named
from liaison.services.pages.reading.punctuation import colon

Tree = dict[str, Any]


_STATES: Final = {
    "entered-in-error": _("saisi par erreur"),
    "cancelled": _("annulé"),
    "revoked": _("annulé"),
    "rejected": _("refusé"),
    "declined": _("refusé"),
    "failed": _("échoué"),
    "stopped": _("arrêté"),
    "ended": _("arrêté"),
    "on-hold": _("suspendu"),
    "suspended": _("suspendu"),
    "onleave": _("en permission"),
    "completed": _("fait"),
    "inactive": _("inactif"),
    "not-done": _("non fait"),
    "not-taken": _("non pris"),
    "noshow": _("la personne n'est pas venue"),
    "intended": _("prévu"),
    "planned": _("prévu"),
    "proposed": _("proposé"),
    "pending": _("à confirmer"),
    "waitlist": _("sur liste d'attente"),
    "draft": _("brouillon"),
    "preparation": _("en préparation"),
    "registered": _("en attente"),
    "partial": _("provisoire"),
    "preliminary": _("provisoire"),
    "amended": _("corrigé"),
    "corrected": _("corrigé"),
    "appended": _("complété"),
    "superseded": _("remplacé"),
    "in-progress": _("en cours"),
    "arrived": _("en cours"),
    "triaged": _("en cours"),
    "unknown": _("état inconnu"),
}
_STANDING: Final = {
    "resolved": _("résolu"),
    "inactive": _("inactif"),
    "remission": _("en rémission"),
    "recurrence": _("récidive"),
    "relapse": _("rechute"),
}
_SURE: Final = {
    "unconfirmed": _("non confirmé"),
    "provisional": _("provisoire"),
    "differential": _("hypothèse"),
    "refuted": _("écarté"),
    "entered-in-error": _("saisi par erreur"),
}
# Where being over, or on its way, is the ordinary state of the type.
_ORDINARY: Final = {
    "Encounter": {"completed"},
    "Task": {"completed", "in-progress"},
    "Communication": {"completed"},
    "QuestionnaireResponse": {"completed"},
    "Immunization": {"completed"},
    "Procedure": {"completed"},
    "Appointment": {"arrived"},
}


MEANT: Final = {"proposal": _("proposé"), "plan": _("prévu"), "option": _("au choix")}
"""R4's intents: what is suggested, meant or offered as a choice, without an authorization to act."""
_INTENT: Final = {
    "MedicationRequest": MEANT,
    "ServiceRequest": MEANT,
    "CarePlan": {intent: words for intent, words in MEANT.items() if intent != "plan"},
}
# http://terminology.hl7.org/CodeSystem/v3-ActReason, those that R4 gives for a vaccination that was not done.
_WHY: Final = {
    "IMMUNE": _("personne déjà protégée"),
    "MEDPREC": _("précaution médicale"),
    "OSTOCK": _("rupture de stock"),
    "PATOBJ": _("refus de la personne"),
    "PHILISOP": _("refus de la personne"),
    "RELIG": _("refus de la personne"),
    "VACEFF": _("refus de la personne"),
    "VACSAF": _("refus de la personne"),
}


def told(tree: Tree, say: Say = str) -> str:
    """'non fait : refus de la personne', 'provisoire', '' where everything is as it should be."""
    return colon(say, ", ".join(_states(tree, say)), ", ".join(_reasons(tree, say)))


def _reasons(tree: Tree, say: Say) -> list[str]:
    """Why it stands as it does, by its words or those of the code."""
    given = [one for name in ("statusReason", "cancelationReason") for one in _listed(tree.get(name))]
    known = [next((say(_WHY[code]) for code in sorted(codes(one)) if code in _WHY), "") for one in given]
    return [words for one, ours in zip(given, known, strict=True) if (words := label(one) or ours or named(one, say))]


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found] if found else []


def _states(tree: Tree, say: Say) -> list[str]:
    """The words of its statuses, each once."""
    type_ = str(tree.get("resourceType", ""))
    given = [str(tree.get(name, "")) for name in ("status", "docStatus", "lifecycleStatus")]
    found = [_STATES[one] for one in given if one in _STATES and one not in _ORDINARY.get(type_, set())]
    if tree.get("status") == "active" and tree.get("intent") in _INTENT.get(type_, {}):
        found.append(_INTENT[type_][tree["intent"]])
    for name, words in (("clinicalStatus", _STANDING), ("verificationStatus", _SURE)):
        found += [words[code] for code in sorted(codes(tree.get(name))) if code in words]
    return list(dict.fromkeys(say(one) for one in found))


def in_error(tree: Tree) -> bool:
    """Whether it was written by mistake: it then says nothing about the person, and is told nowhere.
    http://hl7.org/fhir/R4/resource.html#deletion"""
    given = {tree.get(name) for name in ("status", "docStatus", "lifecycleStatus")}
    return "entered-in-error" in given | codes(tree.get("verificationStatus"))


def refuted(tree: Tree) -> bool:
    return "refuted" in codes(tree.get("verificationStatus"))


def stands(tree: Tree) -> bool:
    """Whether a Condition or an AllergyIntolerance is one today."""
    over = codes(tree.get("clinicalStatus")) & {"resolved", "inactive", "remission"}
    return not (over or refuted(tree) or in_error(tree))


def in_force(trees: list[Tree], now: datetime) -> list[Tree]:
    """Those that are active, whose period holds today first; what is over or to come is told with its dates. R4 gives
    Flag no search parameter for its status."""
    active = [tree for tree in trees if tree.get("status") == "active"]
    return sorted(active, key=lambda tree: not moments.covers(tree.get("period") or {}, now))
