"""The weekly sheet for a home without a telephone: the questions of the visit in the order of the telephone, seven days on one sheet.

Each answer has the letter of each day beside it, to be circled. It is typed in later (paper.py), with the true date.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.caller import Caller
from liaison.protocols.answers import Item
from liaison.protocols.forms import FORM, arranged, wanted
from liaison.services import visit_forms
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.home_care.today import directory_phone
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
TITLE: Final = _("Visites de la semaine, sur papier")
MOST_PEOPLE: Final = 2000
_FAREST: Final = timedelta(days=400)
_DAYS: Final = ("L", "M", "M", "J", "V", "S", "D")
_BOXES: Final = "  ".join(f"[{day}]" for day in _DAYS)


async def sheet(request: Request) -> Response:
    """Of one person, for the week of `semaine`, this one without it."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patient = await patient_or_404(record, request.path_params["id"])
    language = language_of(request)
    gettext = translations(language).gettext
    monday = week_of(request.query_params.get("semaine", ""), record.now().date())
    phone = await directory_phone(record, me.organization_reference)
    week = gettext(_("Semaine du {day}")).format(day=day_said(monday, "d MMMM y", language))
    made = [
        Part("title", gettext(TITLE)),
        Part("text", f"{identity(patient).full} · {week} · {me.organization_name}"),
        *parts(await form_of(request, record, caller, str(patient["id"]), monday), gettext, phone),
    ]
    return printed(request, made, gettext(TITLE), language, "visites")


async def people(request: Request) -> Response:
    """Everyone whom the service follows: the sheet to print, and the one to type in."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    found = await record.search("Patient", {"_count": "200"}, most=MOST_PEOPLE)
    lines = sorted(((str(one["id"]), identity(one)) for one in found), key=lambda one: one[1].sorting)
    monday = week_of(request.query_params.get("semaine", ""), record.now().date())
    return render(request, "home_service/sheets.html", people=lines, monday=monday, week=timedelta(days=7))


def week_of(typed: str, today: date) -> date:
    """The Monday of that week; of this one for none within a year of it."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = today
    day = day if abs(day - today) < _FAREST else today
    return day - timedelta(days=day.weekday())


def parts(form: Tree, gettext: Gettext, phone: str) -> Iterator[Part]:
    """The questions, as the telephone asks them."""
    yield Part("text", gettext(_("Entourez la lettre du jour devant la réponse. Signez chaque jour de votre prénom.")))
    call = gettext(_("Urgence : appelez le 15 ou le 112 d'abord, puis le service"))
    yield Part("text", f"{call} ({phone})." if phone else f"{call}.")
    for item in arranged(form).in_order:
        yield Part("heading", gettext(item.text) if item.text else "")
        for one in item.parts or (item,):
            if one is not item:
                yield Part("text", gettext(one.text))
            yield from _answers(one, gettext)
    yield Part("heading", gettext(_("Prénom de l'aide")))
    yield Part("text", _blank())


async def form_of(request: Request, record: Record, caller: Caller, patient: str, monday: date) -> Tree:
    """The form in force for this person: that of the first line of the week's tours which names one, the daily one otherwise."""
    query = [
        ("patient", f"Patient/{patient}"),
        ("date", f"ge{monday.isoformat()}"),
        ("date", f"lt{(monday + timedelta(days=7)).isoformat()}"),
        ("_sort", "date"),
        ("_count", "50"),
    ]
    lines = await record.search("Appointment", query, most=50)
    models = [wanted(line, ()) for line in lines if line.get("status") != "cancelled"]
    model = next((one for one in models if one != FORM), FORM)
    return (await visit_forms.in_force(request.app.state.house.database, caller.organization))[model].form


def _answers(item: Item, gettext: Gettext) -> Iterator[Part]:
    if item.tree["type"] == "choice":
        for option in item.tree["answerOption"]:
            yield Part("text", f"{_BOXES}   {gettext(option['valueCoding']['display'])}")
    elif item.tree["type"] == "text":
        for day in _DAYS:
            yield Part("field", day)
    elif item.tree["type"] == "boolean":
        yield from (Part("text", f"{_BOXES}   {gettext(word)}") for word in (_("Oui"), _("Non")))
    else:
        unit = item.unit
        yield Part("text", f"{_blank()}   ({unit.get('display', unit['code'])})" if unit else _blank())


def _blank() -> str:
    return "   ".join(f"{day} ........." for day in _DAYS)
