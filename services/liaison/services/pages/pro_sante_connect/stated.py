"""What is shown of the exercices of a sign-in, where a role is chosen: each with what becomes of it here, and each role of
the directory that none of them stands behind."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.requests import Request

from liaison.auth.people import browsers
from liaison.auth.people.browsers import Browser
from liaison.auth.people.pro_sante_connect import exercices
from liaison.auth.people.pro_sante_connect.exercices import Place
from liaison.auth.people.roles import HeldRole
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of

_WORDS: Final = {
    Place.HERE: _("L’annuaire vous y donne un rôle."),
    Place.ANYWHERE: _("Sans structure indiquée : il vaut pour vos rôles de cette profession."),
    Place.NO_ROLE: _("L’annuaire de ce territoire ne vous y donne pas de rôle : votre administrateur peut l’inscrire."),
    Place.UNKNOWN: _("Cette structure n’est pas dans l’annuaire de ce territoire."),
    Place.UNREAD: _("Cette profession n’a pas de rôle ici."),
}


class Stated(NamedTuple):
    """One exercice in one structure. `opens`: it stands behind a role that is offered."""

    profession: str
    structure: str
    number: str
    words: str
    opens: bool


async def stated(request: Request, browser: Browser, held: Sequence[HeldRole]) -> list[Stated]:
    """Of the session of this browser, in the order in which Pro Santé Connect gave them; [] for a sign-in here."""
    if browser.attested is None:
        return []
    house = request.app.state.house
    with faults.reported():
        kept = await browsers.exercices_elsewhere(house.database.reading, cookies.read(request, cookies.SESSION))
    practised = exercices.opened(house.vault.territory, kept)
    known = await _known(request, browser, exercices.numbers(practised))
    gettext = translations(language_of(request)).gettext
    lines = []
    for one in exercices.placed(practised, held, known):
        names = sorted({role_name(role, gettext) for role in one.exercice.roles})
        number = one.structure.identifiers[0][1] if one.structure.identifiers else ""
        opens = one.place in (Place.HERE, Place.ANYWHERE)
        profession = " / ".join(names) or gettext(_("Profession {code}")).format(code=one.exercice.profession or "?")
        lines.append(Stated(profession, one.structure.name, number, gettext(_WORDS[one.place]), opens))
    return lines


async def _known(
    request: Request, browser: Browser, numbers: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], set[int]]:
    """By number of a structure, the organizations of the directory that it names, with their parts."""
    house = request.app.state.house
    record, found = Record(house.engine, browser.caller, address_of(request)), dict[tuple[str, str], set[int]]()
    if not numbers:
        return found
    wanted = ",".join(f"{system}|{value}" for system, value in numbers)
    for tree in await record.search("Organization", {"identifier": wanted, "_count": "100"}, most=200):
        key = house.store.key("Organization", tree["id"])
        if key is None or tree.get("active") is False:
            continue
        with faults.reported():
            inside = await exercices.parts(house.database.reading, key.res)
        for one in tree.get("identifier", ()):
            found.setdefault((str(one.get("system")), str(one.get("value"))), set()).update(inside)
    return found
