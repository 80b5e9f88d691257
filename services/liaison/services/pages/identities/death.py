"""Décès: that a person has died, said on the page of their identity, and taken back there when it was a mistake.

The day of a death is written, changed and taken away by health professionals (liaison.auth.access.deaths); whoever else keeps the
identity says that somebody is dead. What follows for the person's plans is liaison.services.deaths.
"""

from datetime import date
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.deaths import dated_by
from liaison.protocols.deaths import died
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.entering import go
from liaison.services.pages.identities.identity import refused_with, shown
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import _
from liaison.services.pages.record import Refused

_DAY: Final = _("Le jour du décès est une date, aujourd’hui au plus tard. Laissez vide si vous ne le connaissez pas.")
_NOT_YOURS: Final = _("Le jour d’un décès est noté, et retiré, par un professionnel de santé.")


async def say(request: Request) -> Response:
    """`act` is `died`, with a day or none, or `mistake`. What is so already stays as it is: of two who say it, the second takes
    nothing back."""
    place = await own_place(request)
    tree = await patient_or_404(place.record, place.id)
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    if form.get("act") != ("mistake" if died(tree) else "died"):
        return go(request, f"{place.path}/identite")
    changed = {name: value for name, value in tree.items() if not name.lstrip("_").startswith("deceased")}
    if not died(tree):
        if day := form.get("died", ""):
            try:
                known = date.fromisoformat(day)
            except ValueError:
                known = date.max
            if known > place.record.now().date():
                return await shown(request, place, tree, {}, gettext(_DAY), "died", 422)
            changed["deceasedDateTime"] = known.isoformat()
        else:
            changed["deceasedBoolean"] = True
    if changed.get("deceasedDateTime") != tree.get("deceasedDateTime") and not dated_by(place.me.role_code):
        return await shown(request, place, tree, {}, gettext(_NOT_YOURS), "deces", 403)
    try:
        await place.record.update(changed)
    except Refused as refused:
        return await refused_with(request, place, {}, refused)
    return go(request, f"{place.path}/identite")
