"""The reason of an entry in words: acts of the service leave a code there, people what they typed."""

from typing import Final

from liaison.auth.journal.acts import BY_REASON, Act
from liaison.services.pages.audit.acts_said import WORDS
from liaison.services.pages.marking import Gettext, _

_WORDS: Final = {
    "launch": _("Ouverture d'une application"),
    "emergency access": _("Accès d'urgence"),
    "review: question": _("Question d'un auditeur"),
    "review: answer": _("Réponse à un auditeur"),
    "review": _("Revue d'un accès"),
}


def reason_said(reason: str, gettext: Gettext) -> str:
    """A code, with or without what it adds after a colon, in words; anything else as it was typed."""
    head = reason.partition(": ")[0]
    words = _WORDS.get(reason) or _WORDS.get(head) or (WORDS[Act(head)] if head in BY_REASON else "")
    return gettext(words) if words else reason
