"""What a status makes of a fact: cancelled, not done, refuted, provisional. What is as it should be needs no word.

A Procedure that was not done, an appointment nobody came to or a diagnosis that was ruled out, told without its status,
would be told as the opposite of what was written.
"""

from typing import Any, Final

from liaison.services.pages.reading.concepts import Say, codes

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


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
    "Appointment": {"arrived", "pending", "proposed"},
    "Goal": {"proposed"},
}


def states(tree: Tree, say: Say = str) -> list[str]:
    """The words of its statuses, each once, none where everything is as it should be."""
    type_ = str(tree.get("resourceType", ""))
    given = [str(tree.get(name, "")) for name in ("status", "docStatus", "lifecycleStatus")]
    found = [_STATES[one] for one in given if one in _STATES and one not in _ORDINARY.get(type_, set())]
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


def in_force(trees: list[Tree]) -> list[Tree]:
    """Those that are active; R4 gives Flag no search parameter for its status."""
    return [tree for tree in trees if tree.get("status") == "active"]
