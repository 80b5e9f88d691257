"""That a person is dead, and since when: prominent wherever they are named, so that nobody visits, treats or calls them."""

from typing import Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.identity import Identity

_DIED: Final = {"female": _("Décédée"), "male": _("Décédé")}


def told(who: Identity, language: str, say: Say = str) -> str:
    """'Décédée le 3 mars 2026', at the precision that the record has; '' for who lives, as far as it says."""
    if not who.deceased:
        return ""
    died = say(_DIED.get(who.gender, _("Décédé(e)")))
    if not who.died:
        return f"{died}, {say(_('date inconnue'))}"
    when = say(_("le {day}")) if len(who.died) >= len("2026-03-01") else say(_("en {day}"))
    return f"{died} {when.format(day=moments.day(who.died, language, month='MMMM'))}"
