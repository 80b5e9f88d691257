"""A session is planned: for which workshop, when, where, who holds it, how many it takes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols.workshops import LEAST, LONGEST, MOST, SHORTEST, Named, Workshop, planned, workshops
from liaison.services.applying import library
from liaison.services.pages.clock import PARIS
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reception.welcome import directory
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import TEAMED
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
USUAL: Final = {"duration": "90", "capacity": "8"}


class NotPlanned(ValueError):
    """Something is missing or cannot be: `field` is the name of the form's field, `words` are to be translated."""

    def __init__(self, field: str, words: str) -> None:
        self.field, self.words = field, words
        super().__init__(field)


async def planning(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    known, places = workshops((await library(record)).current()), await _places(record)
    people = [
        (me.role_reference, me.name),
        *[(one, name) for one, name, _role in await directory(record, me.role_reference, among=TEAMED)],
    ]
    if request.method == "GET":
        return _show(request, known, places, people, me, USUAL, [me.role_reference])
    form = await request.form()
    gettext = translations(language_of(request)).gettext
    error, wrong, status = "", "", 422
    try:
        made = _session(form, known, places, people, me, record.now())
        located = await record.transact(made)
        return RedirectResponse(f"/seances/{located[1].partition('/')[2]}", status_code=303)
    except NotPlanned as problem:
        error, wrong = gettext(problem.words), problem.field
    except Refused as refused:
        if refused.answered != 403:
            raise
        error, status = gettext(_("Votre structure ne peut pas tenir d’agenda ici.")), 403
    given = {name: str(value) for name, value in form.items()}
    held = [str(one) for one in form.getlist("held_by")]
    return _show(request, known, places, people, me, given, held, error, wrong, status)


def _session(
    form: FormData, known: list[Workshop], places: list[Named], people: list[Named], me: Me, now: datetime
) -> Tree:
    """The transaction that makes it. Raises NotPlanned."""
    workshop = next((one for one in known if one.canonical == form.get("workshop")), None)
    if workshop is None:
        raise NotPlanned("workshop", _("Choisissez l’atelier."))
    try:
        day = date.fromisoformat(str(form.get("day", "")))
        start = datetime.combine(day, time.fromisoformat(str(form.get("at", ""))), PARIS)
    except ValueError:
        raise NotPlanned("day", _("Donnez le jour et l’heure.")) from None
    if start <= now - timedelta(days=60) or start.year > now.year + 2:
        raise NotPlanned("day", _("Une séance se prépare pour les deux ans à venir, ou se note dans les 60 jours."))
    minutes = _number(form, "duration", SHORTEST, LONGEST, _("Donnez la durée en minutes, de 15 à 240."))
    capacity = _number(form, "capacity", LEAST, MOST, _("Donnez le nombre de places, de 1 à 30."))
    chosen = [one for one in people if one[0] in form.getlist("held_by")]
    if not chosen:
        raise NotPlanned("held_by", _("Dites qui anime la séance."))
    place = next((one for one in places if one[0] == form.get("place")), None)
    if place is None:
        raise NotPlanned("place", _("Choisissez le lieu."))
    return planned(
        workshop,
        start,
        start + timedelta(minutes=minutes),
        capacity,
        held_by=chosen,
        place=place,
        keeper=me.organization_reference,
        seed=uuid4(),
    )


def _number(form: Mapping[str, object], name: str, least: int, most: int, words: str) -> int:
    typed = str(form.get(name, ""))
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 5 and least <= int(typed) <= most):
        raise NotPlanned(name, words)
    return int(typed)


async def _places(record: Record) -> list[Named]:
    found = await record.search("Location", {"status": "active", "_sort": "name", "_count": "200"})
    return [(f"Location/{tree['id']}", str(tree["name"])) for tree in found if tree.get("name")]


def _show(
    request: Request,
    known: list[Workshop],
    places: list[Named],
    people: list[Named],
    me: Me,
    given: Mapping[str, str],
    held_by: Sequence[str],
    error: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    return render(
        request,
        "workshops/planning.html",
        status=status,
        workshops=known,
        places=places,
        people=people,
        mine=me.role_reference,
        given=given,
        held_by=held_by,
        error=error,
        wrong=wrong,
    )
