"""The reason of an entry in words: acts of the service leave a code there, people what they typed."""

from typing import Final

from liaison.services.pages.marking import Gettext, _

_WORDS: Final = {
    "register": _("Accueil de la personne"),
    "join": _("Entrée dans une équipe"),
    "identify": _("Identité vérifiée"),
    "merge": _("Dossiers fusionnés"),
    "unmerge": _("Fusion annulée"),
    "tell-apart": _("Deux personnes, dit après comparaison"),
    "opposition": _("Opposition au partage"),
    "opposition withdrawn": _("Opposition retirée"),
    "attending doctor": _("Médecin traitant déclaré"),
    "launch": _("Ouverture d'une application"),
    "emergency access": _("Accès d'urgence"),
    "call to the platform": _("Appel à la plateforme"),
    "review: question": _("Question d'un auditeur"),
    "review: answer": _("Réponse à un auditeur"),
    "review": _("Revue d'un accès"),
}


def reason_said(reason: str, gettext: Gettext) -> str:
    """A code, with or without what it adds after a colon, in words; anything else as it was typed."""
    words = _WORDS.get(reason) or _WORDS.get(reason.partition(":")[0] if ": " in reason else "")
    return gettext(words) if words else reason
