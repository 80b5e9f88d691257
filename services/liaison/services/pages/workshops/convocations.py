"""The convocations to a session, to print: one sheet a person, with nothing of their health."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.fhir.errors import NotFound
from liaison.protocols.workshops import Session
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import _
from liaison.services.pages.reading.contact import contact
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.record import Record
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import Me, address_of, signed_in
from liaison.services.pages.workshops import agenda, lists

Tree = dict[str, Any]


async def convocations(request: Request) -> Response:
    """Of everybody on the list whom the reader sees, who has not come yet, and who lives."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    held, schedule = await agenda.one(record, request.path_params["slot"])
    language = language_of(request)
    gettext = translations(language).gettext
    people = [one for one in await lists.listed(record, held) if one.comes]
    if not people or held.cancelled:
        raise NotFound
    address = await _address(record, schedule)
    parts: list[Part] = []
    for one in people:
        parts += [*([Part("page")] if parts else []), *sheet(one.who.full, held, address, me, language)]
    return printed(request, parts, gettext(_("Convocations")), language, "convocations")


async def transports(request: Request) -> Response:
    """Whom to fetch, where and for when, for who drives; nothing of their health, nor what the session is about."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    held, _schedule = await agenda.one(record, request.path_params["slot"])
    language = language_of(request)
    gettext = translations(language).gettext
    people = [one for one in await lists.listed(record, held) if one.transport and one.comes]
    if not people or held.cancelled:
        raise NotFound
    day = day_said(held.start.date(), "EEEE d MMMM y", language)
    parts = [
        Part("title", gettext(_("Transports"))),
        Part("text", f"{day}, {held.start.strftime('%H h %M')}, {held.place}"),
    ]
    for one in people:
        patient = await record.read(one.patient) or {}
        ways = [text for text, _link in contact(patient, record.now(), gettext)]
        parts += [Part("heading", one.who.full), *(Part("text", way) for way in ways)]
        if one.transport == "arranged":
            parts.append(Part("text", gettext(_("Transport prévu"))))
    return printed(request, parts, gettext(_("Transports")), language, "transports")


async def first_names(request: Request) -> Response:
    """For a patient educator of an association: the first names of those who agreed to it, and nothing else of anybody."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    held, _schedule = await agenda.one(record, request.path_params["slot"])
    language = language_of(request)
    gettext = translations(language).gettext
    people = [one for one in await lists.listed(record, held) if one.first_name_given and not one.who.deceased]
    if not people or held.cancelled:
        raise NotFound
    day = day_said(held.start.date(), "EEEE d MMMM y", language)
    parts = [Part("title", held.title), Part("text", f"{day}, {held.place}")]
    parts += [Part("point", one.who.given) for one in people]
    return printed(request, parts, gettext(_("Prénoms")), language, "prenoms")


def sheet(person: str, held: Session, address: str, me: Me, language: str) -> list[Part]:
    """One person's. The title of a workshop may say of what it is about; the sheet is handed over or sent in an envelope."""
    gettext = translations(language).gettext
    minutes = int((held.end - held.start).total_seconds() // 60)
    when = gettext(_("{day} à {at}, {minutes} minutes")).format(
        day=day_said(held.start.date(), "EEEE d MMMM y", language),
        at=held.start.strftime("%H h %M" if language == "fr" else "%H:%M"),
        minutes=minutes,
    )
    return [
        Part("title", gettext(_("Votre prochaine séance"))),
        Part("text", person),
        Part("heading", held.title),
        Part("text", when),
        Part("text", ", ".join(part for part in (held.place, address) if part)),
        Part("text", colon(gettext, gettext(_("Avec")), ", ".join(held.held_by))),
        Part(
            "text",
            gettext(_("Un proche peut vous accompagner. Si vous ne pouvez pas venir, dites-le nous dès que possible.")),
        ),
        Part("blank"),
        Part("text", f"{me.name}, {me.organization_name}"),
    ]


async def _address(record: Record, schedule: Tree) -> str:
    """Where the place is; '' where the directory does not say."""
    named = (str(one.get("reference", "")) for one in schedule.get("actor", ()))
    place = next((one for one in named if one.startswith("Location/")), "")
    tree = await record.read(place) if place else None
    told = (tree or {}).get("address") or {}
    town = " ".join(str(told[name]) for name in ("postalCode", "city") if told.get(name))
    return ", ".join([*(str(line) for line in told.get("line", []) if line), *([town] if town else [])])
