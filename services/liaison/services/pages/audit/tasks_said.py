"""The role of an entry in words: that of a person, or which task of the service it was."""

from typing import Final

from liaison.auth.access.internal import PREFIX
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.role_names import role_name

TASKS: Final = {
    "import": _("Tâche du service : import de dossiers"),
    "sandbox": _("Tâche du service : territoire d'essai"),
    "identity": _("Tâche du service : identités"),
    "protocols": _("Tâche du service : protocoles"),
    "deaths": _("Tâche du service : plans à terminer ou non"),
    "visits": _("Tâche du service : visites des téléphones"),
    "messages": _("Tâche du service : messages des alertes"),
    "forms": _("Tâche du service : formulaires des services d’aide"),
    "library": _("Tâche du service : publication des protocoles"),
    "protection": _("Tâche du service : informations préoccupantes"),
    "measures": _("Tâche du service : indicateurs"),
    "places": _("Tâche du service : places des séances"),
    "first-names": _("Tâche du service : prénoms d’une séance"),
    "first-name-kept": _("Tâche du service : accord pour un prénom retiré"),
    "sign-in": _("Tâche du service : connexions"),
    "people": _("Tâche du service : annuaire des personnes"),
    "accounts": _("Tâche du service : comptes"),
    "directory": _("Tâche du service : annuaire"),
    "indexing": _("Tâche du service : index de recherche"),
    "papers": _("Tâche du service : documents du délégué"),
    "unusual": _("Tâche du service : accès inhabituels"),
    "rebuild": _("Tâche du service : calcul des droits"),
}


def role_said(code: str, gettext: Gettext) -> str:
    """'' for no role at all."""
    task = TASKS.get(code.removeprefix(PREFIX)) if code.startswith(PREFIX) else ""
    return gettext(task) if task else role_name(code, gettext)
