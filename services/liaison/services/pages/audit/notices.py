"""Avis: what the data protection officer is told of, unread first, each with the place where it is dealt with."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, notices, recovery
from liaison.auth.people.notices import Kind, Notice
from liaison.auth.people.recovery import Granted
from liaison.auth.vendors import requests
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.opposing.confirming import counted
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, signed_in

PATH: Final = "/avis"
READERS: Final = frozenset({"dpo"})


_WORDS: Final = {
    Kind.RECOVERY: _("Un accès a été rétabli"),
    Kind.SEALED: _("Un nouveau code scellé a été fait à la console"),
    Kind.EMERGENCY: _("Un accès d’urgence a été ouvert"),
    Kind.OFFICE: _("Quelqu’un a reçu un rôle de confiance"),
    Kind.SOFTWARE: _("Un logiciel attend votre accord"),
    Kind.RULES: _("D’autres règles de partage sont en vigueur"),
    Kind.DESTRUCTION: _("Des dossiers ont été détruits, leur délai passé"),
    Kind.CASE: _("Une affaire est ouverte : 72 heures pour notifier à la CNIL"),
    Kind.QUESTION: _("Une personne ne comprend pas un accès à son dossier"),
    Kind.MANDATE: _("Qui lit tout le journal a changé"),
}
_MANDATES: Final = {
    "given": _("ses auditeurs lisent tout le journal"),
    "ended": _("ses auditeurs ne lisent plus tout le journal"),
}
_NEXT: Final = {
    Kind.RECOVERY: _("Vérifier auprès de la personne"),
    Kind.EMERGENCY: _("Revoir cet accès"),
    Kind.SOFTWARE: _("Lire la demande"),
    Kind.RULES: _("Lire les règles"),
    Kind.DESTRUCTION: _("Voir la conservation"),
    Kind.CASE: _("Suivre l’affaire"),
    Kind.QUESTION: _("Lire la question"),
}

_PLACES: Final = {
    Kind.RECOVERY: "/acces-retablis",
    Kind.SOFTWARE: "/logiciels",
    Kind.RULES: "/regles",
    Kind.DESTRUCTION: "/conservation",
}


class Line(NamedTuple):
    """`where` and `next`: the page where it is dealt with, and what is done there; '' where reading it is all."""

    number: int
    words: str
    more: str
    at: datetime
    read_at: datetime | None
    where: str
    next: str


async def show(request: Request) -> Response:
    """GET: the list. POST: one of them was read."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        number = str((await request.form()).get("avis", ""))
        if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) < 2**62):
            raise NotFound
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                if await notices.read_one(connection, caller.session, int(number)):
                    told = entry(caller, Event.RIGHTS, request=asked(request), detail={"act": Act.NOTICE_READ})
                    await house.journal.record_within(connection, (told,))
        return go(request, PATH)
    reading = house.database.reading
    with faults.reported():
        found = await notices.latest(reading, caller.session)
        names = {one.number: one.username for one in await accounts.every(reading)}
        recovered = {one.number: one for one in await recovery.granted(reading)}
        asked_for = {one.number: one.client_id for one in await requests.waiting(reading)}
    gettext = translations(language_of(request)).gettext
    record = Record(house.engine, caller, address_of(request))
    reviews = await _reviews(request, record, found)
    lines = []
    for one in found:
        if one.kind is Kind.EMERGENCY and _task(request, one) not in reviews:
            continue  # destroyed
        more = ""
        if one.kind is Kind.RECOVERY and one.about in recovered:
            more = _by_whom(recovered[one.about], names, gettext)
        elif one.kind is Kind.OFFICE:
            person = house.store.reference(Key(0, kind_of("Practitioner"), one.about))
            more = colon(
                gettext, human_name(await record.read(str(person))) or str(person), role_name(one.code, gettext)
            )
        elif one.kind is Kind.MANDATE:
            where = house.store.reference(Key(0, kind_of("Organization"), one.about))
            tree = await record.read(str(where)) or {}
            more = colon(gettext, str(tree.get("name", where)), gettext(_MANDATES[one.code]))
        elif one.kind is Kind.SOFTWARE:
            more = asked_for.get(one.about, "")
        elif one.kind is Kind.DESTRUCTION:
            more = gettext(_("Dossiers : %(count)s")) % {"count": one.about}
        where = _where(request, one)
        following = gettext(_NEXT[one.kind]) if where else ""
        lines.append(Line(one.number, gettext(_WORDS[one.kind]), more, one.at, one.read_at, where, following))
    waiting = await counted(record, caller.role_code)
    return render(request, "audit/notices.html", found=lines, oppositions=waiting)


def _by_whom(one: Granted, names: dict[int, str], gettext: Callable[[str], str]) -> str:
    if not one.granted_by:
        return colon(gettext, names.get(one.account, ""), gettext(_("à la console, avec le code scellé")))
    said = gettext(_("%(who)s : demandé par %(first)s, confirmé par %(second)s"))
    return said % {
        "who": names.get(one.account, ""),
        "first": names.get(one.asked_by, ""),
        "second": names.get(one.granted_by, ""),
    }


def _task(request: Request, one: Notice) -> str:
    task: str = request.app.state.house.store.id(Key(one.patient, kind_of("Task"), one.about))
    return task


async def _reviews(request: Request, record: Record, found: Sequence[Notice]) -> set[str]:
    """The tasks of the emergency accesses among them that this officer may see."""
    ids = [_task(request, one) for one in found if one.kind is Kind.EMERGENCY]
    seen: set[str] = set()
    for start in range(0, len(ids), 50):
        asked = {"_id": ",".join(ids[start : start + 50]), "_elements": "id", "_count": "50"}
        seen |= {str(tree["id"]) for tree in await record.search("Task", asked)}
    return seen


def _where(request: Request, one: Notice) -> str:
    if one.kind is Kind.EMERGENCY:
        return f"/journal/urgences/{_task(request, one)}"
    if one.kind is Kind.CASE:
        return f"/journal/affaires/{one.about}"
    if one.kind is Kind.QUESTION:
        return f"/journal/questions/{one.about}"
    return _PLACES.get(one.kind, "")
