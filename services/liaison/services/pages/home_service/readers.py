"""Qui lit les alertes: who of the teams has accepted in writing, on which days and hours, and who reads them otherwise."""

from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import alert_readers
from liaison.auth.people.alert_readers import CHANNELS, Addresses, AlertReader, sealed_for
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.house import House
from liaison.services.members import with_functions
from liaison.services.messages.addresses import is_email, mobile
from liaison.services.messages.recipients import never
from liaison.services.pages.home_service.ending import ended
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/service/destinataires"
_MOST: Final = 2000
_DAYS: Final = (_("Lundi"), _("Mardi"), _("Mercredi"), _("Jeudi"), _("Vendredi"), _("Samedi"), _("Dimanche"))
_CHANNELS: Final = (
    ("mssante", _("Messagerie sécurisée de santé : l'alerte et une page à imprimer")),
    ("email", _("Messagerie ordinaire : « un message vous attend », rien d'autre")),
    ("sms", _("SMS : « un message vous attend », rien d'autre")),
)
WHOLE_DAY: Final = 24 * 60


async def readers(request: Request) -> Response:
    if request.method == "GET":
        return await _page(request)
    form = await request.form()
    people = dict(await _people(request))
    names = ("qui", "de", "a", "suppleant", "accepte", "email", "mobile")
    typed = {name: str(form.get(name, "")).strip() for name in names}
    days = "".join(one for one in "1234567" if one in form.getlist("jour"))
    begins, ends, accepted = minutes(typed["de"]), minutes(typed["a"]), _day(typed["accepte"])
    ends = WHOLE_DAY if typed["a"] in ("", "00:00", "24:00") else ends
    problem = field = ""
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    channels = tuple(one for one in CHANNELS if one in form.getlist("canal") and one in house.carriers.channels)
    today = Record(house.engine, caller).now().date()
    if typed["qui"] not in people or not days:
        problem, field = (
            _("Choisissez la personne, et au moins un jour."),
            "jour-1" if typed["qui"] in people else "qui",
        )
    elif begins is None or ends is None or ends <= begins:
        problem, field = _("Donnez deux heures du même jour, la première avant la seconde."), "de"
    elif accepted is None or accepted > today or form.get("ecrit") != "oui":
        problem = _(
            "Dites quand cette personne a accepté par écrit. Sans accord écrit, aucune alerte ne lui est adressée."
        )
        field = "accepte" if accepted is None or accepted > today else "ecrit"
    elif typed["suppleant"] and (typed["suppleant"] not in people or typed["suppleant"] == typed["qui"]):
        problem, field = _("Le suppléant est une autre personne de la liste."), "suppleant"
    else:
        problem, field = await _unsendable(house, typed, channels)
    if problem:
        typed |= {"jours": days, "canaux": " ".join(channels)}
        return await _page(request, translations(language_of(request)).gettext(problem), typed, field)
    assert begins is not None
    assert ends is not None
    assert accepted is not None
    one = AlertReader(0, typed["qui"], people[typed["qui"]], days, begins, ends, typed["suppleant"], accepted)
    given = Addresses(
        typed["email"] if "email" in channels else "", mobile(typed["mobile"]) if "sms" in channels else ""
    )
    one = one._replace(channels=channels, sealed=sealed_for(house.vault.territory, one.reference, given))
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await alert_readers.record(connection, caller.organization, one, by=caller.account)
            told = FhirRequest("POST", PATH.lstrip("/"), address=address_of(request))
            named = {"act": Act.ALERT_READER, "reader": typed["qui"]}
            await house.journal.record_within(connection, (entry(caller, Event.RIGHTS, request=told, detail=named),))
    return RedirectResponse(PATH, status_code=303)


async def _unsendable(house: House, typed: dict[str, str], channels: tuple[str, ...]) -> tuple[str, str]:
    """What keeps this person from being written to by these channels, and the field that says so; '' for nothing."""
    type_, _slash, id_ = typed["qui"].partition("/")
    key = house.store.key(type_, id_)
    if channels and key is not None:
        with faults.reported():
            async with house.database.reading.acquire() as connection:
                if await never(connection, key.res):
                    return _(
                        "Aucun message n'est envoyé par une machine à cette fonction : elle se joint par le 15 ou le 116 117."
                    ), "qui"
    if "email" in channels and not is_email(typed["email"]):
        return _("Écrivez l'adresse de messagerie que cette personne a donnée."), "email"
    if "sms" in channels and not mobile(typed["mobile"]):
        return _("Écrivez le numéro de portable que cette personne a donné."), "mobile"
    return "", ""


async def finish(request: Request) -> Response:
    return await ended(request, alert_readers.end, Event.RIGHTS, Act.ALERT_READER_ENDED, PATH)


async def _page(request: Request, problem: str = "", typed: dict[str, str] | None = None, field: str = "") -> Response:
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    with faults.reported():
        found = await alert_readers.of_service(house.database.reading, caller.organization)
    gettext = translations(language_of(request)).gettext
    people = await _people(request)
    names = dict(people) | {one.reference: one.name for one in found}
    here = Record(house.engine, caller).now()
    return render(
        request,
        "home_service/readers.html",
        status=422 if problem else 200,
        found=[
            (
                one,
                days_said(one.days, gettext),
                hours_said(one.begins, one.ends),
                names.get(one.deputy, ""),
                [gettext(words) for code, words in _CHANNELS if code in one.channels],
            )
            for one in found
        ],
        anybody=bool(alert_readers.reading(found, here)),
        people=people,
        days=week(gettext),
        problem=problem,
        field=field,
        typed=typed or {},
        today=here.date(),
        channels=[(code, gettext(words)) for code, words in _CHANNELS if code in house.carriers.channels],
        spool=house.carriers.spool,
    )


async def _people(request: Request) -> list[tuple[str, str]]:
    """The professionals of the teams of those whom the service follows, and whoever runs it: reference and name, in order."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    teams = await with_functions(
        record, await record.search("CareTeam", {"status": "active", "_count": "200"}, most=_MOST)
    )
    members = [one.get("member") or {} for team in teams for one in team.get("participant", [])]
    found = {
        str(one["reference"]): str(one["display"])
        for one in members
        if str(one.get("reference", "")).startswith("PractitionerRole/") and one.get("display")
    }
    if me.role_reference:
        found.setdefault(me.role_reference, me.name)
    return sorted(found.items(), key=lambda one: one[1].casefold())


def minutes(typed: str) -> int | None:
    """'08:30' as minutes of the day."""
    hours, colon, rest = typed.partition(":")
    if not colon or not (hours.isdigit() and rest.isdigit()) or not typed.isascii() or len(typed) > 5:
        return None
    found = int(hours) * 60 + int(rest)
    return found if int(rest) < 60 and found <= WHOLE_DAY else None


def hours_said(begins: int, ends: int) -> str:
    return f"{begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"


def days_said(days: str, gettext: Gettext) -> str:
    return ", ".join(gettext(_DAYS[int(day) - 1].lower()) for day in days)  # English writes them with capitals


def week(gettext: Gettext) -> list[tuple[str, str]]:
    """Number and name of each day."""
    return [(str(number), gettext(name)) for number, name in enumerate(_DAYS, 1)]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
